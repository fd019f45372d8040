//! Refuses requests that pages of other sites make.
//!
//! The control API has no credentials. A browser lets any page send requests to an address of this machine, so the
//! server decides by the headers that a page cannot change: `Host`, `Origin` and `Sec-Fetch-Site`.

use std::net::IpAddr;

use http::header::{HOST, HeaderName, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, Method};

/// Returns why a request is refused. `hosts` are the host names that are accepted besides `localhost`.
pub(super) fn refusal(parts: &Parts, hosts: &[String]) -> Option<&'static str> {
    let Some(host) = text(&parts.headers, HOST) else {
        return Some("The request has no Host header.");
    };
    // A name that an attacker's DNS server resolves to this machine is neither an IP address nor known here.
    if !is_known(host, hosts) {
        return Some("The Host header is neither an IP address nor localhost. See --control-host.");
    }
    let origin = text(&parts.headers, ORIGIN);
    if origin.is_some_and(|origin| !origin.eq_ignore_ascii_case(&format!("http://{host}"))) {
        return Some("The request comes from a page of another origin.");
    }
    let site = text(&parts.headers, HeaderName::from_static("sec-fetch-site"));
    if site.is_none_or(|site| matches!(site, "same-origin" | "none")) || is_navigation(parts) {
        return None;
    }
    Some("The request comes from a page of another site.")
}

/// Returns whether the request opens the page, for which a link from another site is harmless.
fn is_navigation(parts: &Parts) -> bool {
    let mode = text(&parts.headers, HeaderName::from_static("sec-fetch-mode"));
    let path = parts.uri.path();
    parts.method == Method::GET && mode == Some("navigate") && (path == "/" || path == "/reference/")
}

fn is_known(host: &str, hosts: &[String]) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let ip = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    ip.parse::<IpAddr>().is_ok()
        || name.eq_ignore_ascii_case("localhost")
        || hosts.iter().any(|known| name.eq_ignore_ascii_case(known))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let value = headers.get(name)?;
    // A value that is not text equals no accepted one.
    Some(value.to_str().unwrap_or("?"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn refused(method: &str, path: &str, headers: &[(&str, &str)]) -> bool {
        let request = http::Request::builder().method(method).uri(path);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        refusal(&request.body(()).unwrap().into_parts().0, &["sandbox".to_owned()]).is_some()
    }

    #[test]
    fn only_known_hosts_are_accepted() {
        for host in [
            "127.0.0.1:80",
            "127.0.0.1",
            "localhost:4000",
            "LOCALHOST",
            "[::1]:4000",
            "192.0.2.7:1",
            "sandbox:9",
        ] {
            assert!(!refused("POST", "/reset", &[("host", host)]), "{host}");
        }
        for host in
            ["evil.example", "evil.example:4000", "127.0.0.1.evil.example", "localhost.evil.example", ""]
        {
            assert!(refused("GET", "/suppliers", &[("host", host)]), "{host}");
        }
        assert!(refused("GET", "/suppliers", &[]));
    }

    #[test]
    fn pages_of_other_origins_are_refused() {
        let host = ("host", "127.0.0.1:4000");
        assert!(!refused("POST", "/reset", &[host, ("origin", "http://127.0.0.1:4000")]));
        for origin in ["http://127.0.0.1:4001", "https://127.0.0.1:4000", "http://evil.example", "null"] {
            assert!(refused("POST", "/reset", &[host, ("origin", origin)]), "{origin}");
            assert!(refused("GET", "/suppliers", &[host, ("origin", origin)]), "{origin}");
        }
    }

    #[test]
    fn pages_of_other_sites_can_only_link_to_the_page() {
        let cross = [("host", "127.0.0.1:4000"), ("sec-fetch-site", "cross-site")];
        let navigates = [cross[0], cross[1], ("sec-fetch-mode", "navigate")];
        assert!(!refused("GET", "/", &navigates) && !refused("GET", "/reference/", &navigates));
        assert!(refused("GET", "/", &cross) && refused("POST", "/", &navigates));
        assert!(
            refused("GET", "/try/onapi/onapi/2.6/orders/", &navigates) && refused("GET", "/events", &cross)
        );
        let same = [("host", "127.0.0.1:4000"), ("sec-fetch-site", "same-origin")];
        assert!(!refused("POST", "/reset", &same) && !refused("GET", "/events", &same));
    }
}
