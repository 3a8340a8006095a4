use super::*;
use crate::model::key::Environment;

const NOW: Timestamp = Timestamp::from_ms(1_795_255_200_000);

fn facts<'a>(live: &'a Policy, test: &'a Policy) -> Facts<'a> {
    Facts {
        now: NOW,
        keys: KeyFacts::default(),
        live,
        test,
        open_incidents: 0,
        reviews: ReviewFacts::default(),
        people: None,
        tokens: None,
        mail: None,
        may_read_audit: false,
    }
}

fn policies() -> (Policy, Policy) {
    (
        Policy::default_of(Environment::Live),
        Policy::default_of(Environment::Test),
    )
}

fn found(facts: &Facts<'_>, name: CheckName) -> (CheckState, String) {
    let list = checklist(facts);
    let check = list.checks.iter().find(|check| check.name == name).unwrap();
    (check.state, check.found.clone())
}

#[test]
fn where_there_is_nothing_nothing_is_praised() {
    let (live, test) = policies();
    let list = checklist(&facts(&live, &test));
    let of_keys = list
        .checks
        .iter()
        .filter(|check| check.name.topic() == Topic::Keys);
    assert!(of_keys.clone().count() == 8);
    for check in of_keys {
        assert_eq!(check.state, CheckState::NotChecked, "{:?}", check.name);
        assert!(check.found.starts_with("There is no "), "{}", check.found);
    }
    assert_eq!(
        found(&facts(&live, &test), CheckName::Reviews).0,
        CheckState::NotChecked
    );
}

#[test]
fn a_number_says_how_many_of_how_many() {
    let (live, test) = policies();
    let mut facts = facts(&live, &test);
    facts.keys = KeyFacts {
        all: 1_300,
        live: 1_280,
        no_end: 7,
        overdue: 1,
        ..KeyFacts::default()
    };
    let expected = (
        CheckState::Attention,
        "7 of 1,280 live keys have no expiry.".to_owned(),
    );
    assert_eq!(found(&facts, CheckName::Expiry), expected);
    let expected = (CheckState::Attention, "1 of 1,300 keys is overdue.".to_owned());
    assert_eq!(found(&facts, CheckName::Rotation), expected);
    let expected = (CheckState::Passes, "0 of 1,300 keys have every scope.".to_owned());
    assert_eq!(found(&facts, CheckName::LeastPrivilege), expected);
    facts.keys.owner_inactive = 2;
    let expected = "2 of 1,302 keys belong to somebody who is not here any more.";
    assert_eq!(found(&facts, CheckName::Owners).1, expected);
}

#[test]
fn when_all_owners_are_gone_that_is_still_told() {
    let (live, test) = policies();
    let mut facts = facts(&live, &test);
    facts.keys.owner_inactive = 1;
    let expected = "1 of 1 key belongs to somebody who is not here any more.";
    assert_eq!(
        found(&facts, CheckName::Owners),
        (CheckState::Attention, expected.to_owned())
    );
}

#[test]
fn each_rule_is_judged_by_the_policy_in_force() {
    let (mut live, mut test) = policies();
    assert_eq!(
        found(&facts(&live, &test), CheckName::UnusedRule).1,
        "Unused live and test keys stay as they are."
    );
    live.unused_days = Some(90);
    assert_eq!(
        found(&facts(&live, &test), CheckName::UnusedRule).1,
        "Unused test keys stay as they are."
    );
    test.unused_days = Some(30);
    assert_eq!(
        found(&facts(&live, &test), CheckName::UnusedRule).0,
        CheckState::Passes
    );
    assert_eq!(
        found(&facts(&live, &test), CheckName::LeakRule).0,
        CheckState::Passes
    );
    test.on_leak = OnLeak::Alert;
    let leak = found(&facts(&live, &test), CheckName::LeakRule);
    assert_eq!(leak.0, CheckState::Attention);
    assert_eq!(leak.1, "For test keys somebody is told, and the key goes on.");
    live.max_lifetime_days = Some(1);
    let expiry = found(&facts(&live, &test), CheckName::ExpiryRule);
    assert_eq!(
        expiry,
        (CheckState::Passes, "A live key lives 1 day at most.".to_owned())
    );
}

#[test]
fn a_review_counts_for_half_a_year() {
    let (live, test) = policies();
    let mut facts = facts(&live, &test);
    facts.keys.all = 1;
    assert_eq!(
        found(&facts, CheckName::Reviews).1,
        "Nobody has reviewed the keys yet."
    );
    let ago = |days: i64| Some(NOW.minus_ms(days * DAY_MS));
    facts.reviews.finished_at = ago(REVIEWED_WITHIN_DAYS);
    assert_eq!(found(&facts, CheckName::Reviews).0, CheckState::Passes);
    facts.reviews.finished_at = ago(REVIEWED_WITHIN_DAYS + 1);
    assert_eq!(found(&facts, CheckName::Reviews).0, CheckState::Attention);
    facts.reviews.running = true;
    let running = found(&facts, CheckName::Reviews);
    assert_eq!(running.0, CheckState::Attention, "until it is finished");
    assert!(running.1.starts_with("A review is running. The last review"));
}

#[test]
fn every_check_says_why_it_matters_and_leads_somewhere() {
    for name in CheckName::ALL {
        let (words, address) = name.link();
        assert!(
            !words.is_empty()
                && (address.starts_with("/settings/")
                    || *name == CheckName::Mail
                    || address == "#two-factor")
        );
        assert!(
            name.why().ends_with('.') && !name.label().ends_with('.'),
            "{name:?}"
        );
    }
}
