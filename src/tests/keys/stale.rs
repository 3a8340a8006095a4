//! Forms that were opened before the key was changed: they give back nothing that was taken away since.

use keywright::server::domain::keys::edit::{self, AccessEdit, KeyEdit};

use crate::kit::{Answer, TestApp, on_both_databases};

/// The mark of what a form was opened on.
fn mark(page: &Answer) -> String {
    page.between("name=\"looked_at\" value=\"", "\"").to_owned()
}

/// Somebody else takes a scope away and names addresses.
async fn tighten(app: &TestApp, key: &keywright::model::id::KeyId) {
    let mut access = AccessEdit {
        scopes: vec!["images:read"],
        ..AccessEdit::default()
    };
    access.restrictions.ip_allow = vec!["203.0.113.0/24"];
    let edit = KeyEdit {
        name: "Shared",
        purpose: "",
        rotation_days: "",
        access: Some(access),
    };
    edit::save(&app.ctx, &app.operator(), key, &edit).await.unwrap();
}

on_both_databases! {
    async fn an_old_form_gives_back_no_access_unless_it_is_sent_again(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Shared", &["images:read", "images:write"]).await;
        let mut owner = app.owner().await;
        let at = format!("/settings/api-keys/{}/edit", key.id);
        let seen = mark(&owner.get(&at).await);
        tighten(&app, &key.id).await;
        let form = |seen: &str, name: &str| {
            [("access", "1"), ("looked_at", seen), ("name", name), ("purpose", "New words"), ("scopes", "images:read"), ("scopes", "images:write")]
                .map(|(field, value)| (field, value.to_owned()))
        };
        let send = async |owner: &mut crate::kit::Browser, seen: &str, name: &str| {
            let form = form(seen, name);
            owner.post(&at, &form.each_ref().map(|(field, value)| (*field, value.as_str()))).await
        };
        let wrong = send(&mut owner, &seen, "").await;
        assert_eq!((wrong.status, mark(&wrong)), (409, mark(&owner.get(&at).await)), "first of all it is old");
        let refused = send(&mut owner, &seen, "Shared").await;
        assert!(refused.status == 409 && refused.body.contains("has been changed since you opened this form"), "{}", refused.body);
        assert!(refused.body.contains("New words"), "what was typed stays");
        assert_eq!(app.db.texts("SELECT scopes FROM api_keys").await, ["images:read"]);
        let ask = owner.post(&at, &[("access", "1"), ("looked_at", &seen), ("step", "ask"), ("name", "Shared"), ("scopes", "*")]).await;
        assert!(ask.status == 409 && ask.body.contains("has been changed since"), "{}", ask.body);
        let present = mark(&refused);
        let typo = send(&mut owner, &present, "").await;
        assert_eq!((typo.status, mark(&typo)), (422, present.clone()), "a form with a mistake keeps what it was opened on");
        assert_eq!(send(&mut owner, &present, "Shared").await.status, 303, "sent again, it is on purpose");
        assert_eq!(app.db.texts("SELECT scopes FROM api_keys").await, ["images:read images:write"]);
    }
}
