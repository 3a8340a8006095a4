//! The file of an import: checked as a whole, imported as a whole or not at all; through the browser and beside it.

use keywright::model::import::{FILE_MAX_BYTES, UPLOAD_MS};
use keywright::model::org::Role;
use keywright::model::project::ProjectStatus;
use keywright::server::domain::DomainError;
use keywright::server::domain::keys::import::{check_file, import_file};
use keywright::server::domain::projects;

use super::import::{declare, file_of, format, import, old_key, sha256, with_format};
use crate::kit::app::EMAIL;
use crate::kit::{TestApp, on_both_databases};

const PAGE: &str = "/settings/api-keys/import";

async fn keys(app: &TestApp) -> i64 {
    app.db.number("SELECT COUNT(*) FROM api_keys").await
}

on_both_databases! {
    async fn every_mistake_is_told_with_line_and_column_and_nothing_is_imported(backend: Backend) {
        let app = with_format(backend).await;
        app.issue("Taken", &[]).await;
        let d = |n: usize| sha256(&old_key(n));
        let rows = [
            (format!("{},good,live,team:x,images:read,,", d(1)), ""),
            ("abcd,short,live,team:x,,,".to_owned(), "digest"),
            (format!("{},,live,team:x,,,", d(2)), "name"),
            (format!("{},{},live,team:x,,,", d(3), "x".repeat(300)), "name"),
            (format!("{},env,staging,team:x,,,", d(4)), "environment"),
            (format!("{},nobody,live,nobody@example.com,,,", d(5)), "owner"),
            (format!("{},ownerless,live,,,,", d(6)), "owner"),
            (format!("{},scope,live,team:x,images:delete,,", d(7)), "scopes"),
            (format!("{},past,live,team:x,,2001-01-01,", d(8)), "expires"),
            (format!("{},date,live,team:x,,soon,", d(9)), "expires"),
            (format!("{},ip,live,team:x,,,10.0.0.300", d(10)), "ip_allow"),
            (format!("{},again,live,team:x,,,", d(1)), "digest"),
            (format!("{},GOOD,live,team:x,,,", d(11)), "name"),
            (format!("{},taken,live,team:x,,,", d(12)), "name"),
            (format!("{},taken,test,team:x,,,", d(13)), ""),
        ];
        let text: String = rows.iter().map(|(row, _)| format!("{row}\n")).collect();
        let file = format!("digest,name,environment,owner,scopes,expires,ip_allow\n{text}");
        let summary = import(&app, &file).await.unwrap();
        let told: Vec<(u64, &str)> = summary.mistakes.iter().map(|mistake| (mistake.line, mistake.column.as_str())).collect();
        let expected: Vec<(u64, &str)> = (2..).zip(&rows).filter(|(_, (_, column))| !column.is_empty()).map(|(line, (_, column))| (line, *column)).collect();
        assert_eq!(told, expected, "{:#?}", summary.mistakes);
        assert_eq!((summary.rows, summary.bad, keys(&app).await), (15, 13, 1));
        assert_eq!(app.verify(&old_key(1)).await, "NOT_FOUND");
        let checked = check_file(&app.ctx, &app.operator(), &app.project, file.as_bytes(), None).await.unwrap();
        assert_eq!(checked, summary, "the dry run says the same");
    }

    async fn a_mistake_far_down_undoes_all_before_it(backend: Backend) {
        let app = with_format(backend).await;
        let mut file = file_of(1..=1_600);
        file.push_str(&file_of([1_599]).lines().nth(1).unwrap().replace("Old 1599", "Twin"));
        let summary = import(&app, &file).await.unwrap();
        assert_eq!((summary.rows, summary.bad, summary.mistakes[0].line), (1_601, 1, 1_602));
        assert_eq!((keys(&app).await, app.db.number("SELECT COUNT(*) FROM import_digests").await), (0, 0));
        assert_eq!(import(&app, &file_of(1..=1_600)).await.unwrap().good, 1_600);
        assert_eq!(keys(&app).await, 1_600);
        let events = "SELECT COUNT(*) FROM audit_events WHERE action = 'key.imported'";
        assert_eq!(app.db.number(events).await, 1_600);
        let report = keywright::server::domain::audit::verify(&app.ctx).await.unwrap();
        assert!(report.ok, "{report:?}");
    }

    async fn the_same_file_twice_says_so_row_by_row(backend: Backend) {
        let app = with_format(backend).await;
        import(&app, &file_of(1..=60)).await.unwrap();
        let again = import(&app, &file_of(1..=60)).await.unwrap();
        assert_eq!((again.bad, again.mistakes.len(), again.mistakes_in_all), (60, 50, 60));
        assert!(again.mistakes.iter().all(|mistake| mistake.message.starts_with("Already imported, as key_")), "{:?}", again.mistakes[0]);
        assert_eq!(keys(&app).await, 60);
    }

    async fn of_two_imports_at_once_one_comes_through(backend: Backend) {
        let app = with_format(backend).await;
        let (one, two) = (file_of(1..=700), file_of((1..=700).rev()));
        let (one, two) = futures_util::future::join(import(&app, &one), import(&app, &two)).await;
        let done = [one, two].into_iter().map(|outcome| match outcome {
            Ok(summary) => summary.is_fine(),
            Err(DomainError::Refused(..)) => false,
            Err(error) => panic!("{error:?}"),
        });
        assert_eq!(done.filter(|done| *done).count(), 1);
        assert_eq!(keys(&app).await, 700);
    }

    async fn who_may_import_what(backend: Backend) {
        let app = with_format(backend).await;
        let now = &app.member(Role::Developer);
        let own = format!("digest,name,environment,owner\n{},mine,test,\n", sha256(&old_key(1)));
        let by = async |actor: &keywright::model::actor::Actor, file: &str| {
            import_file(&app.ctx, actor, &app.project, file.as_bytes(), None).await
        };
        let column = |summary: keywright::model::import::ImportSummary| summary.mistakes[0].column.clone();
        assert_eq!(column(by(now, &own.replace(",test,", ",live,")).await.unwrap()), "environment");
        assert_eq!(column(by(now, &own.replace(",test,", ",test,team:data")).await.unwrap()), "owner");
        assert!(by(now, &own).await.unwrap().is_fine(), "test keys of one’s own");
        assert!(matches!(by(&app.member(Role::Auditor), &own).await, Err(DomainError::Denied(_))));
        let admin = app.member(Role::Admin);
        let by_mail = format!("digest,name,environment,owner\n{},hers,live,{}\n", sha256(&old_key(2)), EMAIL.to_uppercase());
        assert!(by(&admin, &by_mail).await.unwrap().is_fine(), "members are known by their address");
        let owners = app.db.texts("SELECT owner_account_id FROM api_keys ORDER BY name").await;
        assert_eq!(owners, [app.account.to_string(), app.account.to_string()]);
        let stranger = app.owner_of(app.another_org("Globex").await);
        assert!(matches!(by(&stranger, &own).await, Err(DomainError::NotFound)), "another organisation’s project");
        projects::set_status(&app.ctx, &app.operator(), &app.project, ProjectStatus::Archived).await.unwrap();
        let refused = by(&admin, &file_of([3])).await;
        assert!(matches!(&refused, Err(DomainError::Invalid(errors)) if errors[0].code == "archived"), "{refused:?}");
    }

    async fn a_browser_sends_looks_and_says_yes(backend: Backend) {
        let app = with_format(backend).await;
        let mut owner = app.owner().await;
        let page = owner.get(PAGE).await;
        assert!(page.body.contains("old_…") && page.body.contains("multipart/form-data"), "{}", page.body);
        let wrong = owner.upload(PAGE, app.project.as_str(), file_of([1]).replace(",live,", ",stage,").as_bytes()).await;
        assert_eq!(wrong.status, 422);
        assert!(wrong.body.contains("1 row of 1 is wrong") && wrong.body.contains("Choose live or test."), "{}", wrong.body);
        let sent = owner.upload(PAGE, app.project.as_str(), file_of([1, 2]).as_bytes()).await;
        let at = sent.header("location").to_owned();
        assert!(sent.status == 303 && at.starts_with("/settings/api-keys/import?upload="), "{sent:?}");
        assert_eq!(keys(&app).await, 0, "looking imports nothing");
        let stored = app.db.texts("SELECT sealed || summary FROM import_uploads").await.concat();
        assert!(!stored.contains(&sha256(&old_key(1))), "what waits is sealed");
        let review = owner.get(&at).await;
        assert!(review.body.contains("2 keys can be imported") && review.body.contains("legacy.csv"), "{}", review.body);
        let id = at.split_once('=').unwrap().1;
        let mut another = app.join("grace@acme.example", Role::Admin).await.browser;
        assert!(!another.get(&at).await.body.contains("can be imported"), "it is the sender’s alone");
        assert_eq!(another.post(PAGE, &[("upload", id)]).await.status, 409);
        let done = owner.post(&at, &[("upload", id)]).await;
        assert_eq!((done.status, done.header("location")), (303, "/settings/api-keys?done=imported"));
        assert_eq!((app.verify(&old_key(1)).await, keys(&app).await), ("VALID".into(), 2));
        assert_eq!(owner.post(&at, &[("upload", id)]).await.status, 409, "once");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM import_uploads").await, 0);
    }

    async fn r26_live_rows_ask_who_it_is_and_the_file_waits(backend: Backend) {
        let app = with_format(backend).await;
        let mut owner = app.owner().await;
        app.clock.advance_ms(11 * 60_000);
        let sent = owner.upload(PAGE, app.project.as_str(), file_of([1]).as_bytes()).await;
        let at = sent.header("location").to_owned();
        let id = at.split_once('=').unwrap().1.to_owned();
        let asked = owner.post(&at, &[("upload", &id)]).await;
        assert!(asked.asks_who(), "{asked:?}");
        let back = owner.post(&at, &[("upload", &id), ("step_up", crate::kit::app::PASSWORD)]).await;
        assert!(back.status == 200 && back.body.contains("1 key can be imported"), "{}", back.body);
        assert_eq!(owner.post(&at, &[("upload", &id)]).await.status, 303);
        let test = file_of([2]).replace(",live,", ",test,");
        app.clock.advance_ms(11 * 60_000);
        let at = owner.upload(PAGE, app.project.as_str(), test.as_bytes()).await.header("location").to_owned();
        assert_eq!(owner.post(&at, &[("upload", at.split_once('=').unwrap().1)]).await.header("location"), "/settings/api-keys?done=imported", "test rows do not");
        let at = owner.upload(PAGE, app.project.as_str(), file_of([3]).as_bytes()).await.header("location").to_owned();
        app.clock.advance_ms(UPLOAD_MS);
        assert!(owner.get(&at).await.body.contains("not kept any more"), "a quarter of an hour");
        assert_eq!(owner.post(&at, &[("upload", at.split_once('=').unwrap().1)]).await.status, 409);
    }

    async fn a_file_that_is_too_large_or_none_is_refused_where_it_was_sent(backend: Backend) {
        let app = with_format(backend).await;
        let mut owner = app.owner().await;
        let project = app.project.to_string();
        let answer = owner.upload(PAGE, &project, &vec![b'x'; FILE_MAX_BYTES + 1]).await;
        assert_eq!(answer.status, 413);
        assert!(answer.body.contains("larger than 5 MiB") && answer.body.contains("keywright keys import"), "{}", answer.body);
        let beyond = owner.upload(PAGE, &project, &vec![b'x'; FILE_MAX_BYTES + 100_000]).await;
        assert_eq!(beyond.status, 413);
        let mut long = "digest,name,environment\n".to_owned();
        (0..10_001).for_each(|n| long.push_str(&format!("{},n{n},test\n", sha256(&old_key(n)))));
        let answer = owner.upload(PAGE, &project, long.as_bytes()).await;
        assert!(answer.status == 422 && answer.body.contains("more than 10,000 rows"), "{}", answer.status);
        let fits = long.lines().take(10_001).collect::<Vec<_>>().join("\n");
        assert_eq!(owner.upload(PAGE, &project, fits.as_bytes()).await.status, 303, "ten thousand do");
        for (file, said) in [
            (&b""[..], "Choose a file"),
            (b"digest,name,environment\n", "no rows"),
            (b"digest,name,environment\n\xFF,a,live\n", "not UTF-8"),
            (b"a,b\n1,2\n", "no column"),
        ] {
            let answer = owner.upload(PAGE, &project, file).await;
            assert!(answer.status == 422 && answer.body.contains(said), "{said}: {}", answer.body);
        }
        let answer = owner.upload(PAGE, "prj_zzzzzzzzzzzz", file_of([1]).as_bytes()).await;
        assert!(answer.status == 422 && answer.body.contains("one of your organisation"), "{}", answer.body);
        assert_eq!(owner.upload("/settings/projects/new", &project, b"x").await.status, 415, "no other address takes files");
        let mut nobody = app.browser();
        assert_eq!(nobody.upload(PAGE, &project, file_of([1]).as_bytes()).await.status, 401);
        let mut auditor = app.join("eve@acme.example", Role::Auditor).await.browser;
        assert_eq!(auditor.upload(PAGE, &project, file_of([1]).as_bytes()).await.status, 403);
        assert_eq!(keys(&app).await, 0);
    }

    async fn formats_are_declared_on_the_page_of_the_project(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut owner = app.owner().await;
        let at = format!("/settings/projects/{}", app.project);
        let post = async |owner: &mut crate::kit::Browser, more: &[(&str, &str)]| {
            let version = app.db.number("SELECT version FROM projects").await.to_string();
            let mut fields = vec![("version", version.as_str()), ("name", "Image API"), ("scope_name", "images:read")];
            fields.extend(more);
            owner.post(&at, &fields).await
        };
        let row = [("formats", "1"), ("format_prefix", "sk_live_"), ("format_alphabet", "base62"), ("format_length", "24"), ("format_algorithm", "sha256")];
        assert_eq!(post(&mut owner, &row).await.status, 303);
        assert!(owner.get(&at).await.body.contains("value=\"sk_live_\""));
        assert_eq!(post(&mut owner, &[]).await.status, 303);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM import_formats").await, 1, "a form that says nothing of them leaves them");
        let ours = [("formats", "1"), ("format_prefix", "acme_live_"), ("format_alphabet", "base62"), ("format_length", "50"), ("format_algorithm", "sha256")];
        let refused = post(&mut owner, &ours).await;
        assert!(refused.status == 422 && refused.body.contains("could also be a key or token of Keywright") && refused.body.contains("value=\"acme_live_\""), "{}", refused.body);
        assert_eq!(post(&mut owner, &[&row[..], &[("format_remove", "0")]].concat()).await.status, 303);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM import_formats").await, 0);
        let mut developer = app.join("dev@acme.example", Role::Developer).await.browser;
        assert_eq!(post(&mut developer, &row).await.status, 403);
        declare(&app, &app.project, vec![format("old_", "32", "sha256")]).await.unwrap();
        assert!(developer.get(&at).await.body.contains("old_… · 32 × 0–9 a–z A–Z · SHA-256"));
    }
}
