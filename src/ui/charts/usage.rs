//! Requests over time: allowed in the accent, refusals by reason in a fixed order, with a table behind.

use leptos::prelude::*;

use super::scale::{nice, short};
use crate::model::calendar::{counted, grouped};
use crate::model::time::{DAY_MS, Timestamp};
use crate::model::usage::{UsageBucket, UsageRange, UsageSeries};
use crate::model::verdict::VerdictCode;

const PLOT_HEIGHT: i64 = 180;

/// The mark of a verdict, the same everywhere: refusals that can occur here have a colour of their own.
const fn series_class(code: VerdictCode) -> &'static str {
    match code {
        VerdictCode::Valid => "s-allowed",
        VerdictCode::Revoked => "s-1",
        VerdictCode::Disabled => "s-2",
        VerdictCode::Expired => "s-3",
        VerdictCode::InsufficientScope => "s-4",
        VerdictCode::EnvironmentMismatch => "s-5",
        VerdictCode::OwnerInactive => "s-6",
        VerdictCode::RateLimited | VerdictCode::QuotaExceeded => "s-7",
        _ => "s-8",
    }
}

/// `14:00`, `21 Nov 12:00`, `21 November 2026`.
fn bucket_label(bucket: &UsageBucket, range: UsageRange) -> String {
    match range {
        UsageRange::Day => bucket.at.clock_time(),
        UsageRange::Week => format!("{}, {}", bucket.at.day_and_month(), bucket.at.clock_time()),
        UsageRange::Month | UsageRange::Quarter => bucket.at.date_in_words(),
    }
}

/// The bars that get a label below, and whether it stays on a narrow screen: natural boundaries only.
fn tick(bucket: &UsageBucket, range: UsageRange) -> Option<(String, bool)> {
    let (hour, day) = (
        bucket.at.ms().div_euclid(3_600_000).rem_euclid(24),
        bucket.at.ms().div_euclid(DAY_MS),
    );
    match range {
        UsageRange::Day if hour % 3 == 0 => Some((bucket.at.clock_time(), hour % 6 == 0)),
        UsageRange::Week if hour == 0 => Some((bucket.at.day_and_month(), day % 2 == 0)),
        UsageRange::Month if day % 5 == 0 => Some((bucket.at.day_and_month(), day % 10 == 0)),
        UsageRange::Quarter if day % 14 == 0 => Some((bucket.at.day_and_month(), day % 28 == 0)),
        _ => None,
    }
}

fn percent(part: f64) -> String {
    format!("{:.2}%", part * 100.0)
}

/// A stacked bar chart with legend, totals and table.
///
/// `mark` draws a line at a moment, with a word beside it; `until` is the end of a span that is over.
#[component]
pub fn UsageChart(
    series: UsageSeries,
    #[prop(optional)] mark: Option<(Timestamp, &'static str)>,
    #[prop(optional_no_strip)] until: Option<Timestamp>,
) -> impl IntoView {
    let range = series.range;
    let refusals = series.refusal_codes();
    let peak = series.buckets.iter().map(UsageBucket::total).max().unwrap_or(0);
    let (top, step) = nice(peak);
    let (allowed, refused) = (series.allowed(), series.refused());
    let span = match until {
        Some(at) => format!("{} up to {}", range.label(), at.date_in_words()),
        None => format!("the last {}", range.label()),
    };
    let title = format!(
        "Requests over {span}: {} allowed, {} refused.",
        grouped(allowed),
        grouped(refused)
    );
    let share = 1.0 / range.bucket_count() as f64;
    let columns = series
        .buckets
        .iter()
        .enumerate()
        .map(|(n, bucket)| column(bucket, n as f64 * share, share, top, range));
    let labels = series.buckets.iter().enumerate().filter_map(|(n, bucket)| {
        let (text, stays) = tick(bucket, range)?;
        let x = percent(n as f64 * share + share / 2.0);
        Some(view! { <text class=(!stays).then_some("minor") x=x y="200">{text}</text> })
    });
    let levels = || (1..=top / step).map(|n| (n * step, PLOT_HEIGHT - n * step * (PLOT_HEIGHT - 8) / top));
    let grid = levels()
        .map(|(_, y)| view! { <line x1="0" x2="100%" y1=format!("{y}.5") y2=format!("{y}.5")></line> });
    let axis = levels().map(|(value, y)| view! { <text x="-8" y=(y + 4).to_string()>{short(value)}</text> });
    let legend = legend(&series, &refusals);
    let mark = mark.and_then(|(at, word)| marked(&series, at, word));
    view! {
        <figure class="chart">
            <figcaption>
                <div>
                    <b class="total">{grouped(allowed + refused)}</b>
                    " "
                    <span>{format!("{} in {span} (UTC)", if allowed + refused == 1 { "request" } else { "requests" })}</span>
                </div>
                {legend}
            </figcaption>
            <div class="plot">
                <svg role="img" aria-label=title height="208">
                    <g class="grid">{grid.collect_view()}</g>
                    <g class="axis y">{axis.collect_view()}</g>
                    <g class="axis x">{labels.collect_view()}</g>
                    {columns.collect_view()}
                    <line class="base" x1="0" x2="100%" y1="180.5" y2="180.5"></line>
                    {mark}
                </svg>
            </div>
            <details class="more-info">
                <summary>"Show as table"</summary>
                {table(&series, &refusals)}
            </details>
        </figure>
    }
}

/// A line at a moment, if it lies within the chart; the word stands on the side that has room.
fn marked(series: &UsageSeries, at: Timestamp, word: &'static str) -> Option<AnyView> {
    let range = series.range;
    let first = series.buckets.first()?.at;
    let share = at.since_ms(first) as f64 / (range.bucket_ms() * range.bucket_count()) as f64;
    if !(0.0..=1.0).contains(&share) {
        return None;
    }
    let x = percent(share);
    let (class, dx) = if share > 0.5 {
        ("left", "-6")
    } else {
        ("right", "6")
    };
    let drawn = view! {
        <g class="mark">
            <title>{format!("{word}: {}", at.exact_in_words())}</title>
            <line x1=x.clone() x2=x.clone() y1="0" y2=PLOT_HEIGHT.to_string()></line>
            <text class=class x=x dx=dx y="10">{word}</text>
        </g>
    };
    Some(drawn.into_any())
}

fn column(bucket: &UsageBucket, left: f64, share: f64, top: i64, range: UsageRange) -> AnyView {
    // Allowed at the bottom, refusals above it in their order.
    let mut parts: Vec<(VerdictCode, i64)> = bucket.counts.clone();
    parts.sort_by_key(|(code, _)| (*code != VerdictCode::Valid, *code));
    let mut floor = PLOT_HEIGHT;
    let mut words = vec![bucket_label(bucket, range)];
    let mut bars = Vec::new();
    for (code, count) in parts.into_iter().filter(|(_, count)| *count > 0) {
        words.push(format!("{} {}", grouped(count), code.label().to_lowercase()));
        let height = (count * (PLOT_HEIGHT - 8) / top).max(1);
        let y = floor - height;
        bars.push(view! {
            <rect
                class=format!("bar {}", series_class(code))
                x=percent(left + share * 0.1)
                width=percent(share * 0.8)
                y=y.to_string()
                height=height.to_string()
            ></rect>
        });
        floor = y - 1;
    }
    if words.len() == 1 {
        words.push("no requests".to_owned());
    }
    view! {
        <g class="col">
            <title>{words.join(" · ")}</title>
            <rect class="hit" x=percent(left) width=percent(share) y="0" height=PLOT_HEIGHT.to_string()></rect>
            {bars}
        </g>
    }
    .into_any()
}

fn legend(series: &UsageSeries, refusals: &[VerdictCode]) -> AnyView {
    let total = |code: VerdictCode| -> i64 {
        series
            .buckets
            .iter()
            .flat_map(|bucket| &bucket.counts)
            .filter(|(c, _)| *c == code)
            .map(|(_, n)| n)
            .sum()
    };
    let codes = std::iter::once(VerdictCode::Valid).chain(refusals.iter().copied());
    let items = codes.map(
        |code| view! { <li class=series_class(code)>{code.label()}" "<b>{grouped(total(code))}</b></li> },
    );
    view! { <ul class="legend">{items.collect_view()}</ul> }.into_any()
}

fn table(series: &UsageSeries, refusals: &[VerdictCode]) -> AnyView {
    let range = series.range;
    let heads = refusals
        .iter()
        .map(|code| view! { <th scope="col" class="num">{code.label()}</th> })
        .collect_view();
    let rows = series.buckets.iter().rev().map(|bucket| {
        let count = |code: VerdictCode| {
            bucket
                .counts
                .iter()
                .find(|(c, _)| *c == code)
                .map_or(0, |(_, n)| *n)
        };
        let cells = refusals
            .iter()
            .map(|code| view! { <td class="num" data-label=code.label()>{grouped(count(*code))}</td> });
        view! {
            <tr>
                <th scope="row">{bucket_label(bucket, range)}</th>
                <td class="num" data-label="Allowed">{grouped(count(VerdictCode::Valid))}</td>
                {cells.collect_view()}
            </tr>
        }
    });
    let caption = format!(
        "Requests over the last {}, UTC: {} in all",
        range.label(),
        counted(series.allowed() + series.refused(), "request")
    );
    view! {
        <div class="table-wrap" tabindex="0" role="region" aria-label="Requests as a table">
            <table class="table compact plain">
                <caption class="vh">{caption}</caption>
                <thead>
                    <tr><th scope="col">"From"</th><th scope="col" class="num">"Allowed"</th>{heads}</tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}
