//! What of its access a key needed: folded from a batch, noted at most once an hour.

use std::collections::{BTreeMap, HashMap};

use super::sink::UsageEvent;
use crate::model::advice::{CONCRETES_MAX, UseKind};
use crate::model::verdict::VerdictCode;
use crate::server::store::db::Tx;
use crate::server::store::error::StoreError;
use crate::server::store::key_uses::{self as store, NewUse};

/// Key, kind, name: in this order for every batch, so that two nodes lock rows in one order.
type Need<'a> = (&'a str, UseKind, &'a str);

/// What the requests of a batch needed. Only those that passed count: nobody makes rows with guesses.
#[derive(Default)]
pub(super) struct Needs<'a> {
    /// When first and last. What a key holds bounds it, except for what services ask of wildcards.
    held: BTreeMap<Need<'a>, (i64, i64)>,
    concrete: BTreeMap<Need<'a>, (i64, i64)>,
    concretes: HashMap<&'a str, usize>,
}

impl<'a> Needs<'a> {
    pub(super) fn add(&mut self, event: &'a UsageEvent) {
        if event.code != VerdictCode::Valid {
            return;
        }
        let (key, at_ms) = (&event.key, event.at.ms());
        let id = key.id.as_str();
        match &event.asked {
            None => note(&mut self.held, (id, UseKind::Unasked, ""), at_ms),
            Some(query) => {
                for wanted in query.needs(&key.scopes) {
                    let Some(grant) = key.scopes.narrowest_over(wanted) else {
                        continue;
                    };
                    note(&mut self.held, (id, UseKind::Grant, grant.as_str()), at_ms);
                    if grant.is_wildcard() {
                        self.add_concrete(id, wanted, at_ms);
                    }
                }
            }
        }
        if !event.is_addressed {
            note(&mut self.held, (id, UseKind::Unaddressed, ""), at_ms);
        }
        self.add_resource(event, at_ms);
    }

    /// Every pattern that the resource fits: each of them alone would let it pass.
    fn add_resource(&mut self, event: &'a UsageEvent, at_ms: i64) {
        let Some((limits, told)) = event.key.restrictions.as_ref().zip(event.told.as_ref()) else {
            return;
        };
        let allow = &limits.rules.resources.allow;
        for pattern in allow.iter().filter(|pattern| pattern.matches(&told.resource)) {
            let need = (event.key.id.as_str(), UseKind::Pattern, pattern.as_str());
            note(&mut self.held, need, at_ms);
        }
    }

    fn add_concrete(&mut self, id: &'a str, wanted: &'a str, at_ms: i64) {
        let need = (id, UseKind::Concrete, wanted);
        let known = self.concretes.entry(id).or_insert(0);
        if self.concrete.contains_key(&need) {
            note(&mut self.concrete, need, at_ms);
        } else if *known < CONCRETES_MAX {
            *known += 1;
            note(&mut self.concrete, need, at_ms);
        } else {
            note(&mut self.held, (id, UseKind::More, ""), at_ms);
        }
    }

    pub(super) async fn write(&self, tx: &mut Tx) -> Result<(), StoreError> {
        store::note(tx, rows(&self.held)).await?;
        if self.concrete.is_empty() {
            return Ok(());
        }
        store::note_concrete(tx, rows(&self.concrete)).await
    }
}

fn note<'a>(needs: &mut BTreeMap<Need<'a>, (i64, i64)>, need: Need<'a>, at_ms: i64) {
    let span = needs.entry(need).or_insert((at_ms, at_ms));
    *span = (span.0.min(at_ms), span.1.max(at_ms));
}

fn rows<'a>(needs: &'a BTreeMap<Need<'a>, (i64, i64)>) -> impl Iterator<Item = NewUse<'a>> {
    needs
        .iter()
        .map(|(&(key_id, kind, name), &(first_at_ms, last_at_ms))| NewUse {
            key_id,
            kind,
            name,
            first_at_ms,
            last_at_ms,
        })
}
