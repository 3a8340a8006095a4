//! Import keys from a file: send it, see whether it is right, say yes.

use leptos::prelude::*;

use super::list_crumb;
use crate::model::calendar::{counted, grouped};
use crate::model::form::FormState;
use crate::model::import::{COLUMNS as FILE_COLUMNS, CheckedUpload, ImportForm, MISTAKES_SHOWN};
use crate::model::time::Timestamp;
use crate::rpc::keys::key_import_form;
use crate::ui::components::{Column, Icon, PageHead, ask, loaded, moment, table};
use crate::ui::form::{
    FormErrors, error_id, field_class, field_error, typed, typed_or_asked, use_form_state,
};

const HERE: &str = "/settings/api-keys/import";
const MISTAKES: &[Column] = &[
    Column::Number("Line"),
    Column::Text("Column"),
    Column::Text("What is wrong"),
];
const FILE: &[Column] = &[Column::Text("Column"), Column::Text("What stands in it")];

#[component]
pub fn ImportKeysPage() -> impl IntoView {
    let state = use_form_state();
    let upload = typed_or_asked(&state, "upload");
    let form = ask(
        {
            let upload = upload.clone();
            move || upload
        },
        key_import_form,
    );
    loaded(form, move |form| draw(&form, &state, &upload))
}

fn draw(form: &ImportForm, state: &FormState, upload: &str) -> AnyView {
    let lede =
        "Keys that your users hold already go on working: Keywright takes their digests and never sees them.";
    let body = match (&form.upload, form.targets.is_empty()) {
        (Some(checked), _) => review(checked, state, upload, form.now),
        (None, true) => no_target(form),
        (None, false) => choose(form, state, upload),
    };
    view! {
        <PageHead title="Import keys" crumbs=list_crumb() lede=lede.into_any()/>
        {body}
    }
    .into_any()
}

/// Without a declared format there is nothing to import into.
fn no_target(form: &ImportForm) -> AnyView {
    let (text, link) = match (form.others, form.may_declare) {
        (0, _) => (
            "There is no project yet. Create one, and declare there what your keys look like.",
            Some(("/settings/projects/new", "Create project")),
        ),
        (_, true) => (
            "First declare on a project’s page what your keys look like: their prefix, characters and length. Text of that form alone is looked up.",
            Some(("/settings/projects", "Choose a project")),
        ),
        (_, false) => (
            "No project declares yet what imported keys look like. Ask an administrator to do so on the project’s page.",
            None,
        ),
    };
    view! {
        <div class="empty">
            <h2>"No project takes imported keys"</h2>
            <p>{text}</p>
            {link.map(|(href, label)| view! { <a class="button primary" href=href>{label}</a> })}
        </div>
    }
    .into_any()
}

fn choose(form: &ImportForm, state: &FormState, upload: &str) -> AnyView {
    let first = form.targets[0].id.to_string();
    let chosen = typed(state, "project", &first);
    let projects = form.targets.iter().map(|target| {
        let id = target.id.to_string();
        let selected = id == chosen;
        view! { <option value=id selected=selected>{target.name.clone()}</option> }
    });
    let over = (!upload.is_empty() && state.errors.is_empty() && state.notice.is_none()).then(|| {
        view! {
            <div class="notice warn" role="status"><Icon name="warn"/><div><p>
                "That file is not kept any more: it was imported already, or more than a quarter of an hour has passed. Send it again if its keys are not in the list."
            </p></div></div>
        }
    });
    view! {
        {over}
        <form class="form" method="post" action=HERE enctype="multipart/form-data" novalidate>
            <FormErrors state=state.clone()/>
            <div class=field_class(state, "project")>
                <label for="project">"Project"</label>
                <select id="project" name="project" aria-describedby=error_id(state, "project")>{projects.collect_view()}</select>
                {field_error(state, "project")}
            </div>
            {formats(form)}
            <div class=field_class(state, "file")>
                <label for="file">"File"</label>
                <p class="hint" id="file-hint">"CSV with a heading, or one JSON object a line; UTF-8, at most 5 MiB and 10,000 rows. Larger ones: keywright keys import."</p>
                <input id="file" name="file" type="file" accept=".csv,.jsonl,.ndjson,text/csv" required aria-invalid=error_id(state, "file").map(|_| "true")
                    aria-describedby=error_id(state, "file").map_or("file-hint".to_owned(), |id| format!("file-hint {id}"))/>
                {field_error(state, "file")}
            </div>
            <div class="form-actions">
                <button class="button primary">"Check the file"</button>
                <a class="button quiet" href="/settings/api-keys">"Cancel"</a>
            </div>
            <p class="hint">"Nothing is imported before you have seen what was found."</p>
            {mistakes(state)}
        </form>
        {columns()}
    }
    .into_any()
}

/// What each project takes, so that nobody has to look it up.
fn formats(form: &ImportForm) -> AnyView {
    let rows = form.targets.iter().map(|target| {
        let formats = target
            .formats
            .iter()
            .map(|format| view! { <small class="mono">{format.in_words()}</small> });
        view! { <li><div class="grow"><b>{target.name.clone()}</b>{formats.collect_view()}</div></li> }
    });
    view! {
        <div class="field">
            <p class="hint">"Declared formats"</p>
            <ul class="rows">{rows.collect_view()}</ul>
        </div>
    }
    .into_any()
}

/// What is wrong with the rows of the file that was sent.
fn mistakes(state: &FormState) -> Option<AnyView> {
    let lines = state.values.all("row_line");
    if lines.is_empty() {
        return None;
    }
    let cell = |name: &str, at: usize| state.values.all(name).get(at).cloned().unwrap_or_default();
    let rows = lines.iter().enumerate().map(|(at, line)| {
        let column = match cell("row_column", at) {
            column if column.is_empty() => "row".to_owned(),
            column => column,
        };
        view! {
            <tr>
                <td data-label="Line" class="num">{line.clone()}</td>
                <td data-label="Column"><code class="mono">{column}</code></td>
                <td data-label="What is wrong" class="wrap">{cell("row_message", at)}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let all: usize = state.values.first("rows_wrong").parse().unwrap_or_default();
    let more = all.saturating_sub(MISTAKES_SHOWN);
    let more = (more > 0).then(|| {
        let more = grouped(i64::try_from(more).unwrap_or(i64::MAX));
        view! { <p class="hint">{format!("and {more} more.")}</p> }
    });
    let table = table("Mistakes in the file", MISTAKES, rows);
    Some(view! { <div class="field">{table}{more}</div> }.into_any())
}

fn columns() -> AnyView {
    let rows = FILE_COLUMNS
        .iter()
        .map(|(name, what)| {
            view! {
                <tr>
                    <th scope="row"><code class="mono">{*name}</code></th>
                    <td data-label="What stands in it" class="wrap">{*what}</td>
                </tr>
            }
        })
        .collect_view();
    let example = "digest,name,environment,owner,scopes,expires\n\
                   9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08,Nightly export,live,team:data,images:read,2027-12-31\n";
    view! {
        <details class="fold">
            <summary>"Columns of the file"<span class="fold-value">"digest, name and environment are needed"</span></summary>
            <div class="fold-body">
                <pre class="code" tabindex="0" aria-label="Example"><code>{example}</code></pre>
                {table("Columns of the file", FILE, rows)}
            </div>
        </details>
    }
    .into_any()
}

/// The file was right: what would be, and the yes to it.
fn review(checked: &CheckedUpload, state: &FormState, upload: &str, now: Timestamp) -> AnyView {
    let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let keys = counted(count(checked.summary.good), "key");
    let fact = |label: &'static str, value: String| view! { <div><dt>{label}</dt><dd>{value}</dd></div> };
    let file = match checked.file_name.as_str() {
        "" => "without a name".to_owned(),
        name => name.to_owned(),
    };
    view! {
        <form class="form" method="post" action=format!("{HERE}?upload={upload}")>
            <FormErrors state=state.clone()/>
            {mistakes(state)}
            <section class="card">
                <header class="card-head"><h2>{format!("{keys} can be imported")}</h2></header>
                <dl class="facts">
                    {fact("File", file)}
                    {fact("Project", checked.project_name.clone())}
                    {fact("Live", grouped(count(checked.summary.live)))}
                    {fact("Test", grouped(count(checked.summary.test)))}
                    <div><dt>"Kept until"</dt><dd>{moment(checked.until, now)}</dd></div>
                </dl>
                <p>"No row is wrong. The keys pass from the moment they are imported, by the text that their users have; the next rotation gives a key of Keywright’s own form."</p>
            </section>
            <input type="hidden" name="upload" value=upload.to_owned()/>
            <div class="form-actions">
                <button class="button primary">{format!("Import {keys}")}</button>
                <a class="button quiet" href=HERE>"Choose another file"</a>
            </div>
        </form>
    }
    .into_any()
}
