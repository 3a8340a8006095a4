use super::*;

fn org() -> OrgId {
    OrgId::from_random("000000000001").unwrap()
}

fn account(role: Role, stage: SessionStage) -> Actor {
    let id = AccountId::from_random("000000000001").unwrap();
    Actor::account(id, Some((org(), role)), stage, Origin::default())
}

#[test]
fn the_door_opens_by_role() {
    let developer = account(Role::Developer, SessionStage::Complete);
    assert!(developer.require(Permission::KeysRead).is_ok());
    assert_eq!(
        developer.require(Permission::TokensManage).unwrap_err(),
        Denied::Forbidden
    );
}

#[test]
fn r22_a_session_that_owes_its_second_factor_opens_nothing() {
    let owner = account(Role::Owner, SessionStage::SecondFactorDue);
    for permission in Permission::ALL {
        assert_eq!(owner.require(permission).unwrap_err(), Denied::SecondFactorDue);
    }
}

#[test]
fn r24_a_member_without_the_factor_that_is_asked_for_opens_nothing() {
    let owner = account(Role::Owner, SessionStage::Complete).owing_enrolment();
    for permission in Permission::ALL {
        assert_eq!(owner.require(permission).unwrap_err(), Denied::EnrolmentDue);
        assert!(!owner.may(permission));
    }
}

#[test]
fn r26_a_proof_is_fresh_for_ten_minutes_and_does_not_slide() {
    let at = Timestamp::from_ms(1_000_000_000);
    let owner = account(Role::Owner, SessionStage::Complete);
    let stale = owner.require_fresh(Permission::TokensManage, at).unwrap_err();
    assert_eq!(stale, Denied::StepUpDue, "never proved");
    let owner = owner.proved(at);
    assert!(owner.require_proof(at.plus_ms(FRESH_MS - 1)).is_ok());
    assert_eq!(
        owner.require_proof(at.plus_ms(FRESH_MS)).unwrap_err(),
        Denied::StepUpDue
    );
    assert!(Actor::operator("root", None).require_proof(at).is_ok());
}

#[test]
fn nobody_and_the_organisationless_open_nothing() {
    let nobody = Actor::anonymous(Origin::default());
    assert_eq!(
        nobody.require(Permission::KeysRead).unwrap_err(),
        Denied::Unauthenticated
    );
    let id = AccountId::from_random("000000000001").unwrap();
    let alone = Actor::account(id, None, SessionStage::Complete, Origin::default());
    assert_eq!(
        alone.require(Permission::KeysRead).unwrap_err(),
        Denied::Forbidden
    );
}
