//! Starting a review: first which keys, counted; then who, until when, and what else.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::list_crumb;
use crate::model::calendar::counted;
use crate::model::form::FormState;
use crate::model::key::{Badge, Environment, KeyFilter};
use crate::model::permission::Permission;
use crate::model::review::{
    Assignment, KEYS_MAX, NewReviewForm, OnUndecided, REVIEWERS_MAX, filter_in_words,
};
use crate::model::time::DAY_MS;
use crate::rpc::reviews::review_form;
use crate::ui::components::{Icon, PageHead, ask, loaded};
use crate::ui::form::{
    FormErrors, TextField, error_id, field_class, field_error, typed, typed_or_asked, use_form_state,
};
use crate::ui::frame::for_whoever_may;

/// Days a review runs unless another day is chosen.
const DEFAULT_DAYS: i64 = 14;

fn filter_of(state: &FormState) -> KeyFilter {
    KeyFilter {
        with_revoked: false,
        ..KeyFilter::of_fields(|name| typed_or_asked(state, name))
    }
}

#[component]
pub fn NewReviewPage() -> impl IntoView {
    let state = use_form_state();
    let _ = use_query_map();
    for_whoever_may(Permission::KeysManageAny, move |_| {
        let filter = filter_of(&state);
        let form = ask(move || filter, review_form);
        loaded(form, move |form| draw(&form, &state))
    })
}

fn draw(form: &NewReviewForm, state: &FormState) -> AnyView {
    let lede = "Reviewers get a letter now, a week and a day before the deadline.";
    view! {
        <PageHead title="Start a review" crumbs=list_crumb() lede=lede.into_any()/>
        <FormErrors state=state.clone()/>
        <section class="form-section" aria-labelledby="which">
            <h2 id="which">"Which keys"</h2>
            {filters(form)}
            {found(form, state)}
        </section>
        <form class="form" method="post" action="/settings/reviews/new" novalidate>
            {hidden(&form.filter)}
            {name_field(state)}
            {who(form, state)}
            {when(form, state)}
            <div class="form-actions">
                <button class="button primary">{format!("Start with {}", counted(form.matching, "key"))}</button>
                <a class="button quiet" href="/settings/reviews">"Cancel"</a>
            </div>
        </form>
    }
    .into_any()
}

/// The filter of the list of keys, as a form of its own: it counts, and begins nothing.
fn filters(form: &NewReviewForm) -> AnyView {
    let filter = &form.filter;
    let option = |value: String, label: String, chosen: bool| view! { <option value=value selected=chosen>{label}</option> };
    let projects = form.projects.iter().map(|project| {
        let chosen = filter.project.as_ref() == Some(&project.id);
        option(project.id.to_string(), project.name.clone(), chosen)
    });
    let environments = Environment::ALL.iter().map(|e| {
        option(
            e.as_str().to_owned(),
            e.label().to_owned(),
            filter.environment == Some(*e),
        )
    });
    let badges = Badge::ALL
        .iter()
        .rev()
        .filter(|badge| **badge != Badge::Revoked)
        .map(|b| {
            option(
                b.as_str().to_owned(),
                b.label().to_owned(),
                filter.badge == Some(*b),
            )
        });
    view! {
        <form class="filters" method="get" action="/settings/reviews/new" role="search">
            <div class="search">
                <Icon name="search"/>
                <input type="search" name="q" value=filter.search.clone() maxlength="200" autocomplete="off"
                    aria-label="Search keys" placeholder="Name, id or start of key…"/>
            </div>
            <label>
                <span>"Project"</span>
                <select name="project"><option value="">"Any"</option>{projects.collect_view()}</select>
            </label>
            <label>
                <span>"Environment"</span>
                <select name="environment"><option value="">"Any"</option>{environments.collect_view()}</select>
            </label>
            <label>
                <span>"Status"</span>
                <select name="status"><option value="">"Any"</option>{badges.collect_view()}</select>
            </label>
            <button class="button">"Count"</button>
        </form>
    }
    .into_any()
}

fn found(form: &NewReviewForm, state: &FormState) -> AnyView {
    let most = i64::try_from(KEYS_MAX).unwrap_or(i64::MAX);
    let project = form.filter.project.as_ref();
    let project = project.and_then(|id| form.projects.iter().find(|project| &project.id == id));
    let words = filter_in_words(&form.filter, project.map(|project| project.name.as_str()));
    let (class, icon, note) = match form.matching {
        0 => (
            "notice warn",
            "warn",
            " None of them can be reviewed: widen the filter.",
        ),
        n if n > most => (
            "notice warn",
            "warn",
            " That is too many for one review: narrow the filter.",
        ),
        _ => ("notice info", "key", " Revoked keys are left out."),
    };
    view! {
        <div class=class id="filter" role="status">
            <Icon name=icon/>
            <div><p><b>{counted(form.matching, "key")}</b>{format!(" · {words}.")}{note}</p></div>
        </div>
        {field_error(state, "filter")}
    }
    .into_any()
}

fn hidden(filter: &KeyFilter) -> AnyView {
    let text = |value: Option<&'static str>| value.unwrap_or_default();
    view! {
        <input type="hidden" name="q" value=filter.search.clone()/>
        <input type="hidden" name="project" value=filter.project.map(|id| id.to_string()).unwrap_or_default()/>
        <input type="hidden" name="environment" value=text(filter.environment.map(Environment::as_str))/>
        <input type="hidden" name="status" value=filter.status()/>
    }
    .into_any()
}

fn name_field(state: &FormState) -> AnyView {
    let name = TextField {
        name: "name",
        label: "Name",
        hint: "Reviewers and auditors read it.",
        placeholder: "Live keys, fourth quarter",
        max: 80,
        ..TextField::default()
    };
    name.draw(state, "")
}

fn who(form: &NewReviewForm, state: &FormState) -> AnyView {
    let chosen = typed(state, "assignment", Assignment::Members.as_str());
    let ways = [Assignment::Members, Assignment::Owners].map(|way| {
        let checked = way.as_str() == chosen;
        let small = match way {
            Assignment::Members => {
                "Keys are dealt out in turns; nobody gets a key of their own, so four eyes see each."
            }
            Assignment::Owners => "Keys of teams, and of owners who have left, are yours to decide.",
        };
        view! {
            <label>
                <input type="radio" name="assignment" value=way.as_str() checked=checked/>
                <span><b>{way.label()}</b><small>{small}</small></span>
            </label>
        }
    });
    let ticked = state.values.all("reviewers");
    let me = form.me.map(|me| me.to_string());
    let untouched = !state.values.has("name");
    let people = form.reviewers.iter().take(REVIEWERS_MAX).map(|member| {
        let id = member.account_id.to_string();
        let checked = ticked.contains(&id) || (untouched && form.reviewers.len() <= 5);
        let you = (me.as_ref() == Some(&id)).then_some(" (you)");
        view! {
            <label>
                <input type="checkbox" name="reviewers" value=id checked=checked/>
                <span>{member.name.clone()}{you}</span>
            </label>
        }
    });
    view! {
        <fieldset class=field_class(state, "assignment") id="assignment" aria-describedby=error_id(state, "assignment")>
            <legend>"Who reviews"</legend>
            <div class="checks">{ways.collect_view()}</div>
            {field_error(state, "assignment")}
        </fieldset>
        <fieldset class=field_class(state, "reviewers") id="reviewers" aria-describedby=error_id(state, "reviewers")>
            <legend>"Chosen members"</legend>
            <p class="hint">"Owners and admins: whoever reviews keys of others must be able to revoke them."</p>
            <div class="checks">{people.collect_view()}</div>
            {field_error(state, "reviewers")}
        </fieldset>
    }
    .into_any()
}

fn when(form: &NewReviewForm, state: &FormState) -> AnyView {
    let day = |n: i64| form.now.plus_ms(n * DAY_MS).iso_date();
    let deadline = typed(state, "deadline", &day(DEFAULT_DAYS));
    let chosen = typed(state, "on_undecided", OnUndecided::Nothing.as_str());
    let ways = OnUndecided::ALL.iter().map(|way| {
        let checked = way.as_str() == chosen;
        let small = match way {
            OnUndecided::Nothing => "The result names them.",
            OnUndecided::Disable => "They are refused from then on. Enabling one again is one click.",
        };
        view! {
            <label>
                <input type="radio" name="on_undecided" value=way.as_str() checked=checked/>
                <span><b>{way.label()}</b><small>{small}</small></span>
            </label>
        }
    });
    view! {
        <div class=format!("{} short", field_class(state, "deadline"))>
            <label for="deadline">"Last day"</label>
            <p class="hint" id="deadline-hint">"The review ends at the end of that day (UTC)."</p>
            <input type="date" id="deadline" name="deadline" value=deadline min=day(1) max=day(180) required
                aria-invalid=error_id(state, "deadline").map(|_| "true") aria-describedby=error_id(state, "deadline").unwrap_or_else(|| "deadline-hint".to_owned())/>
            {field_error(state, "deadline")}
        </div>
        <fieldset class=field_class(state, "on_undecided") id="on_undecided" aria-describedby=error_id(state, "on_undecided")>
            <legend>"Keys that nobody has decided about by then"</legend>
            <div class="checks">{ways.collect_view()}</div>
            {field_error(state, "on_undecided")}
        </fieldset>
    }
    .into_any()
}
