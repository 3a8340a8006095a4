//! Addresses a key is used from: single ones and networks, IPv4 and IPv6, in one canonical form.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{both, entries};
use crate::model::error::FieldError;
use crate::model::text::shown;

/// The most addresses and networks one list takes.
pub const ADDRESSES_MAX: usize = 1_000;

/// Allowed and denied networks; no allowed one means every one that is not denied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addresses {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<IpNet>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<IpNet>,
}

/// Without the length where it is a single address.
fn text_of(net: &IpNet) -> String {
    if net.prefix_len() == net.max_prefix_len() {
        net.addr().to_string()
    } else {
        net.to_string()
    }
}

fn network(field: &'static str, text: &str) -> Result<IpNet, FieldError> {
    let refuse = |code: &str, message: String| Err(FieldError::new(field, code, message));
    let typed = shown(text, 60);
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(IpNet::from(address.to_canonical()));
    }
    let Ok(net) = text.parse::<IpNet>() else {
        let message = format!(
            "“{typed}” is no address or network. Write 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32."
        );
        return refuse("syntax", message);
    };
    let mapped = match net {
        IpNet::V6(v6) if v6.prefix_len() >= 96 => v6.addr().to_ipv4_mapped(),
        _ => None,
    };
    let net = match mapped {
        Some(v4) => IpNet::new(IpAddr::V4(v4), net.prefix_len() - 96).unwrap_or(net),
        None => net,
    };
    if net.prefix_len() == 0 {
        return refuse(
            "everything",
            format!("{typed} is every address. Leave it out: an empty list restricts nothing."),
        );
    }
    if net.addr() != net.network() {
        let (whole, one) = (net.trunc(), net.addr());
        let message = format!(
            "{typed} names one address and a whole network at once. Write {whole} for the network, or {one} for the address."
        );
        return refuse("host_bits", message);
    }
    Ok(net)
}

fn list(field: &'static str, typed: &[&str]) -> Result<Vec<IpNet>, FieldError> {
    let mut nets = entries(typed)
        .map(|entry| network(field, entry))
        .collect::<Result<Vec<_>, _>>()?;
    nets.sort_unstable();
    nets.dedup();
    if nets.len() > ADDRESSES_MAX {
        let message = format!(
            "These are {} addresses and networks; at most {ADDRESSES_MAX} fit.",
            nets.len()
        );
        return Err(FieldError::new(field, "too_many", message));
    }
    Ok(nets)
}

impl Addresses {
    pub(super) fn parse(allow: &[&str], deny: &[&str]) -> Result<Self, Vec<FieldError>> {
        let (allow, deny) = both(list("ip_allow", allow), list("ip_deny", deny))?;
        // A thousand times a thousand at the worst, and only when it is saved.
        let dead = allow.iter().find_map(|net| {
            deny.iter()
                .find(|over| over.contains(net))
                .map(|over| (net, over))
        });
        if let Some((net, over)) = dead {
            let message = format!(
                "{} is allowed here and denied by {} below, so it could never pass. Take one of them out.",
                text_of(net),
                text_of(over)
            );
            return Err(vec![FieldError::new("ip_allow", "denied", message)]);
        }
        Ok(Self { allow, deny })
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.allow.is_empty() && self.deny.is_empty()
    }

    /// Why the address may not pass. `None` for an address that is missing or unreadable: with any rule it may not.
    #[must_use]
    pub fn refusal(&self, address: Option<IpAddr>) -> Option<String> {
        if self.is_empty() {
            return None;
        }
        let Some(address) = address.map(|address| address.to_canonical()) else {
            let message =
                "The key is limited to certain addresses, and the request named none that can be read.";
            return Some(message.to_owned());
        };
        if let Some(net) = self.deny.iter().find(|net| net.contains(&address)) {
            return Some(format!("The address {address} is denied by {}.", text_of(net)));
        }
        let is_allowed = self.allow.is_empty() || self.allow.iter().any(|net| net.contains(&address));
        (!is_allowed).then(|| format!("The address {address} is not among those the key is limited to."))
    }

    pub(super) fn is_within(&self, former: &Self) -> bool {
        let covered =
            |nets: &[IpNet], by: &[IpNet]| nets.iter().all(|net| by.iter().any(|over| over.contains(net)));
        let narrower =
            former.allow.is_empty() || (!self.allow.is_empty() && covered(&self.allow, &former.allow));
        narrower && covered(&former.deny, &self.deny)
    }

    /// One entry a line, as a text area shows it.
    #[must_use]
    pub fn lines(nets: &[IpNet]) -> String {
        nets.iter().map(text_of).collect::<Vec<_>>().join("\n")
    }

    pub(super) fn in_words(&self) -> Vec<String> {
        let named = |nets: &[IpNet]| {
            let first: Vec<String> = nets.iter().take(5).map(text_of).collect();
            let more = nets.len().saturating_sub(5);
            let more = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            first.join(", ") + &more
        };
        let mut words = Vec::new();
        if !self.allow.is_empty() {
            words.push(format!("Only from {}.", named(&self.allow)));
        }
        if !self.deny.is_empty() {
            words.push(format!("Never from {}.", named(&self.deny)));
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(allow: &str, deny: &str) -> Addresses {
        Addresses::parse(&[allow], &[deny]).unwrap()
    }

    fn code(allow: &str, deny: &str) -> String {
        Addresses::parse(&[allow], &[deny]).unwrap_err()[0].code.clone()
    }

    #[test]
    fn entries_are_kept_in_one_form() {
        let rules = rules(
            "10.0.0.0/8, 203.0.113.7\n::ffff:198.51.100.1;2001:DB8::/32 203.0.113.7/32",
            "",
        );
        assert_eq!(
            Addresses::lines(&rules.allow),
            "10.0.0.0/8\n198.51.100.1\n203.0.113.7\n2001:db8::/32"
        );
    }

    #[test]
    fn mistakes_are_refused_with_the_reason() {
        for (text, expected) in [
            ("10.0.0.5/8", "host_bits"),
            ("2001:db8::1/32", "host_bits"),
            ("10.0.0.0/33", "syntax"),
            ("10.0.0", "syntax"),
            ("localhost", "syntax"),
            ("0.0.0.0/0", "everything"),
            ("::/0", "everything"),
        ] {
            assert_eq!(code(text, ""), expected, "{text}");
            assert_eq!(code("", text), expected, "{text}");
        }
        assert_eq!(code("10.1.0.0/16", "10.0.0.0/8"), "denied");
        assert_eq!(code("10.1.2.3", "10.1.2.3"), "denied");
        let many: String = (0..1_001)
            .map(|n| format!("10.{}.{}.1 ", n / 250, n % 250))
            .collect();
        assert_eq!(code(&many, ""), "too_many");
        let message = Addresses::parse(&["10.0.0.5/8"], &[]).unwrap_err()[0]
            .message
            .clone();
        assert!(
            message.contains("10.0.0.0/8 for the network, or 10.0.0.5 for the address"),
            "{message}"
        );
    }

    #[test]
    fn what_is_denied_is_denied_and_what_is_unknown_does_not_pass() {
        let rules = rules("10.0.0.0/8 2001:db8::/32", "10.9.0.0/16");
        let passes = |text: &str| rules.refusal(text.parse().ok()).is_none();
        for (address, expected) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("10.9.0.1", false),
            ("11.0.0.1", false),
            ("2001:db8:1::1", true),
            ("2001:db9::1", false),
            ("", false),
            ("unknown", false),
        ] {
            assert_eq!(passes(address), expected, "{address}");
        }
        assert_eq!(Addresses::default().refusal(None), None);
        let deny_only = Addresses::parse(&[], &["10.0.0.0/8"]).unwrap();
        assert!(deny_only.refusal(None).is_some() && deny_only.refusal("11.0.0.1".parse().ok()).is_none());
    }

    #[test]
    fn narrower_is_told_from_wider() {
        let former = rules("10.0.0.0/8", "10.9.0.0/16");
        assert!(rules("10.1.0.0/16", "10.9.0.0/16").is_within(&former));
        assert!(rules("10.0.0.0/8", "10.8.0.0/15").is_within(&former));
        assert!(!rules("10.0.0.0/8 11.0.0.0/8", "10.9.0.0/16").is_within(&former));
        assert!(!rules("10.0.0.0/8", "").is_within(&former));
        assert!(!Addresses::default().is_within(&former), "no rule is the widest");
        assert!(former.is_within(&Addresses::default()));
    }
}
