use super::*;
use crate::model::restriction::RestrictionsDraft;

const NOW: Timestamp = Timestamp::from_ms(1_795_255_200_000);

fn scopes(names: &[&str]) -> ScopeSet {
    ScopeSet::parse("scopes", names.iter().copied()).unwrap()
}

fn rules(addresses: &str, resources: &str) -> Restrictions {
    let draft = RestrictionsDraft {
        ip_allow: vec![addresses],
        resource_allow: vec![resources],
        ..RestrictionsDraft::default()
    };
    Restrictions::parse(&draft).unwrap()
}

fn noted(uses: &[(UseKind, &str)]) -> Vec<NotedUse> {
    let noted = |(kind, name): &(UseKind, &str)| NotedUse {
        kind: *kind,
        name: (*name).to_owned(),
        last_at: NOW.minus_ms(DAY_MS),
    };
    uses.iter().map(noted).collect()
}

/// A key that has been watched for a hundred days and was used yesterday.
fn watched<'a>(scopes: &'a ScopeSet, rules: &'a Restrictions, uses: &'a [NotedUse]) -> Observed<'a> {
    Observed {
        scopes,
        rules,
        born_at: NOW.minus_ms(100 * DAY_MS),
        watched_since: NOW.minus_ms(100 * DAY_MS),
        last_used: Some(NOW.minus_ms(DAY_MS)),
        uses,
        addresses: &[],
    }
}

fn ids(told: &KeyAdvice) -> Vec<String> {
    told.advice.iter().map(Advice::id).collect()
}

#[test]
fn a_scope_that_nothing_needed_goes_and_a_wildcard_becomes_what_it_was_used_as() {
    let held = scopes(&["admin", "audit:*", "images:*", "jobs:run"]);
    let none = Restrictions::default();
    let uses = noted(&[
        (UseKind::Grant, "images:*"),
        (UseKind::Concrete, "images:read"),
        (UseKind::Grant, "jobs:run"),
    ]);
    let told = advise(&watched(&held, &none, &uses), NOW);
    assert_eq!(ids(&told), ["scope admin", "scope audit:*", "narrow images:*"]);
    let (left, _) = follow(&told.advice, &held, &none);
    assert_eq!(left.stored(), "images:read jobs:run");
    assert!(left.is_within(&held));
}

#[test]
fn a_wildcard_used_as_many_or_as_more_than_is_known_stays() {
    let held = scopes(&["images:*"]);
    let none = Restrictions::default();
    let names = ["a", "b", "c", "d", "e", "f"].map(|name| format!("images:{name}"));
    let mut uses: Vec<_> = names
        .iter()
        .map(|name| (UseKind::Concrete, name.as_str()))
        .collect();
    uses.push((UseKind::Grant, "images:*"));
    assert_eq!(
        ids(&advise(&watched(&held, &none, &noted(&uses)), NOW)),
        Vec::<String>::new()
    );
    assert_eq!(
        ids(&advise(&watched(&held, &none, &noted(&uses[1..])), NOW)).len(),
        1
    );
    uses.push((UseKind::More, ""));
    assert!(ids(&advise(&watched(&held, &none, &noted(&uses[1..])), NOW)).is_empty());
}

#[test]
fn nothing_is_called_unused_that_was_not_watched_for_the_whole_time() {
    let held = scopes(&["admin", "images:read"]);
    let none = Restrictions::default();
    let uses = noted(&[(UseKind::Grant, "images:read")]);
    let mut key = watched(&held, &none, &uses);
    key.watched_since = NOW.minus_ms(WATCHED_MS);
    assert_eq!(ids(&advise(&key, NOW)), ["scope admin"]);
    key.watched_since = NOW.minus_ms(WATCHED_MS - 1);
    let told = advise(&key, NOW);
    assert!(told.advice.is_empty());
    let Knowledge::Watching { until, .. } = told.knowledge else {
        panic!("{told:?}")
    };
    assert_eq!(until, NOW.plus_ms(1));
}

#[test]
fn a_use_of_ninety_days_ago_counts_and_an_older_one_does_not() {
    let held = scopes(&["admin", "images:read"]);
    let none = Restrictions::default();
    let mut uses = noted(&[(UseKind::Grant, "images:read"), (UseKind::Grant, "admin")]);
    uses[1].last_at = NOW.minus_ms(WATCHED_MS);
    assert!(ids(&advise(&watched(&held, &none, &uses), NOW)).is_empty());
    uses[1].last_at = NOW.minus_ms(WATCHED_MS + NOTED_EACH_MS + 1);
    assert_eq!(ids(&advise(&watched(&held, &none, &uses), NOW)), ["scope admin"]);
}

#[test]
fn a_key_that_nothing_used_is_told_to_go_however_short_its_access_is_watched() {
    let held = scopes(&["admin"]);
    let none = Restrictions::default();
    let mut key = watched(&held, &none, &[]);
    key.watched_since = NOW;
    key.last_used = Some(NOW.minus_ms(WATCHED_MS));
    assert!(matches!(advise(&key, NOW).knowledge, Knowledge::Unused { .. }));
    key.last_used = None;
    let born = key.born_at;
    assert_eq!(advise(&key, NOW).knowledge, Knowledge::Unused { since: born });
    key.born_at = NOW.minus_ms(WATCHED_MS - 1);
    assert!(matches!(advise(&key, NOW).knowledge, Knowledge::Watching { .. }));
}

#[test]
fn requests_that_do_not_say_what_they_need_keep_the_advisor_silent() {
    let held = scopes(&["admin", "images:read"]);
    let none = Restrictions::default();
    let uses = noted(&[
        (UseKind::Grant, "images:read"),
        (UseKind::Unasked, ""),
        (UseKind::Unaddressed, ""),
    ]);
    let addresses = ["203.0.113.7".parse().unwrap()];
    let key = Observed {
        addresses: &addresses,
        ..watched(&held, &none, &uses)
    };
    let told = advise(&key, NOW);
    assert!(told.advice.is_empty(), "{told:?}");
    assert_eq!(told.blind, [Blind::Scopes, Blind::Addresses]);
    let refused = advise(&watched(&held, &none, &[]), NOW);
    assert_eq!(
        (refused.advice.len(), refused.blind),
        (0, vec![Blind::NothingPassed])
    );
}

#[test]
fn patterns_and_networks_without_traffic_go_but_never_the_last_one() {
    let held = scopes(&["images:read"]);
    let both = rules("10.0.0.0/8 203.0.113.0/24", "dall-e* gpt-4*");
    let uses = noted(&[(UseKind::Grant, "images:read"), (UseKind::Pattern, "gpt-4*")]);
    let addresses = ["203.0.113.7".parse().unwrap()];
    let key = Observed {
        addresses: &addresses,
        ..watched(&held, &both, &uses)
    };
    let told = advise(&key, NOW);
    assert_eq!(ids(&told), ["resource dall-e*", "network 10.0.0.0/8"]);
    let (_, left) = follow(&told.advice, &held, &both);
    assert!(left.is_within(&both));
    assert_eq!(left, rules("203.0.113.0/24", "gpt-4*"));
    // All traffic came from elsewhere and was refused: nothing may be taken away, or everything would pass.
    let elsewhere = ["198.51.100.1".parse().unwrap()];
    let key = Observed {
        addresses: &elsewhere,
        ..watched(&held, &both, &uses[..1])
    };
    assert!(ids(&advise(&key, NOW)).is_empty());
}

#[test]
fn a_key_used_from_few_addresses_is_better_limited_to_them() {
    let held = scopes(&["images:read"]);
    let none = Restrictions::default();
    let uses = noted(&[(UseKind::Grant, "images:read")]);
    let two: Vec<IpAddr> = ["203.0.113.7", "2001:db8::1"]
        .map(|ip| ip.parse().unwrap())
        .into();
    let key = Observed {
        addresses: &two,
        ..watched(&held, &none, &uses)
    };
    let told = advise(&key, NOW);
    assert_eq!(ids(&told), ["addresses"]);
    assert_eq!(
        told.advice[0].in_words().0,
        "Allow it only from 203.0.113.7, 2001:db8::1"
    );
    assert_eq!(
        follow(&told.advice, &held, &none).1,
        rules("203.0.113.7 2001:db8::1", "")
    );
    let many: Vec<IpAddr> = (1..=6).map(|n| IpAddr::from([203, 0, 113, n])).collect();
    let key = Observed {
        addresses: &many,
        ..key
    };
    assert!(ids(&advise(&key, NOW)).is_empty());
}
