//! Who is at the other end (R66): the socket's peer or, behind trusted proxies, the right-most address
//! of `X-Forwarded-For` that is not one of them. Garbage in the chain means unknown, never a guess.

use std::net::{IpAddr, SocketAddr};

use axum::extract::Request;
use axum::http::HeaderMap;
use ipnet::IpNet;

use crate::model::request_id::RequestId;
use crate::server::domain::accounts::session::Caller;

/// The socket's other end, set by the accept loop.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// Finds out who calls, once for everybody behind.
pub fn note(request: &mut Request, trusted: &[IpNet], request_id: RequestId) {
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip());
    let ip = peer.and_then(|peer| client_of(peer, request.headers(), trusted));
    let user_agent = request
        .headers()
        .get("user-agent")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let caller = Caller {
        ip,
        user_agent: user_agent.to_owned(),
        request_id,
    };
    request.extensions_mut().insert(caller);
}

fn is_trusted(ip: IpAddr, trusted: &[IpNet]) -> bool {
    let ip = ip.to_canonical();
    trusted.iter().any(|network| network.contains(&ip))
}

fn client_of(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> Option<IpAddr> {
    let peer = peer.to_canonical();
    if !is_trusted(peer, trusted) {
        return Some(peer);
    }
    let mut hops = Vec::new();
    for line in headers.get_all("x-forwarded-for") {
        hops.extend(line.to_str().ok()?.split(','));
    }
    let mut farthest = peer;
    for hop in hops.iter().rev() {
        let ip = parse_hop(hop)?;
        if !is_trusted(ip, trusted) {
            return Some(ip);
        }
        farthest = ip;
    }
    Some(farthest)
}

/// `203.0.113.7`, `203.0.113.7:4711`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711`.
fn parse_hop(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let ip = text.parse::<IpAddr>().ok();
    let ip = ip.or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()));
    let ip = ip.or_else(|| text.strip_prefix('[')?.strip_suffix(']')?.parse().ok());
    ip.map(|ip| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, lines: &[&str], trusted: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|text| text.parse().unwrap()).collect();
        client_of(peer.parse().unwrap(), &headers, &trusted).map(|ip| ip.to_string())
    }

    #[test]
    fn r66_only_a_trusted_peer_is_believed() {
        assert_eq!(
            client("203.0.113.9", &["1.2.3.4"], &[]).as_deref(),
            Some("203.0.113.9")
        );
        assert_eq!(
            client("203.0.113.9", &["1.2.3.4"], &["10.0.0.0/8"]).as_deref(),
            Some("203.0.113.9")
        );
        assert_eq!(
            client("10.0.0.1", &["1.2.3.4"], &["10.0.0.0/8"]).as_deref(),
            Some("1.2.3.4")
        );
        assert_eq!(
            client("::ffff:10.0.0.1", &["1.2.3.4"], &["10.0.0.0/8"]).as_deref(),
            Some("1.2.3.4")
        );
    }

    #[test]
    fn r66_the_right_most_untrusted_hop_counts() {
        let trusted = ["10.0.0.0/8"];
        assert_eq!(
            client("10.0.0.1", &["6.6.6.6, 1.2.3.4, 10.0.0.2"], &trusted).as_deref(),
            Some("1.2.3.4")
        );
        assert_eq!(
            client("10.0.0.1", &["6.6.6.6", "1.2.3.4"], &trusted).as_deref(),
            Some("1.2.3.4")
        );
        assert_eq!(
            client("10.0.0.1", &["10.0.0.3, 10.0.0.2"], &trusted).as_deref(),
            Some("10.0.0.3")
        );
        assert_eq!(client("10.0.0.1", &[], &trusted).as_deref(), Some("10.0.0.1"));
    }

    #[test]
    fn r66_ports_and_brackets_are_read_and_garbage_is_unknown() {
        let trusted = ["10.0.0.0/8"];
        for (hop, expected) in [
            ("1.2.3.4:5", "1.2.3.4"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("::ffff:1.2.3.4", "1.2.3.4"),
            (" 1.2.3.4 ", "1.2.3.4"),
        ] {
            assert_eq!(
                client("10.0.0.1", &[hop], &trusted).as_deref(),
                Some(expected),
                "{hop}"
            );
        }
        for hop in [
            "unknown",
            "",
            "1.2.3",
            "1.2.3.4.5",
            "fe80::1%eth0",
            "_x",
            "1.2.3.4,",
            "010.0.0.1",
            "0x7f.1",
            "1.2.3.4 5",
        ] {
            assert_eq!(client("10.0.0.1", &[hop], &trusted), None, "{hop}");
        }
    }
}
