//! A browser's User-Agent in words: only the browser and the system, and only those one meets.

/// `Firefox on Linux`; what is not known is called so.
#[must_use]
pub fn device_of(user_agent: &str) -> String {
    let has = |mark: &str| user_agent.contains(mark);
    let browser = match () {
        () if has("Edg/") => "Edge",
        () if has("OPR/") => "Opera",
        () if has("Firefox/") || has("FxiOS/") => "Firefox",
        () if has("HeadlessChrome/") || has("Chrome/") || has("CriOS/") => "Chrome",
        () if has("Safari/") && has("Version/") => "Safari",
        () if has("curl/") => "curl",
        () => "Unknown browser",
    };
    let system = match () {
        () if has("iPhone") => "iPhone",
        () if has("iPad") => "iPad",
        () if has("Android") => "Android",
        () if has("Windows") => "Windows",
        () if has("Mac OS X") || has("Macintosh") => "macOS",
        () if has("CrOS") => "ChromeOS",
        () if has("Linux") => "Linux",
        () => return browser.to_owned(),
    };
    format!("{browser} on {system}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_browsers_are_named() {
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36 Edg/142.0";
        let safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605 Version/26.0 Mobile Safari/604";
        assert_eq!(device_of(firefox), "Firefox on Linux");
        assert_eq!(device_of(edge), "Edge on Windows");
        assert_eq!(device_of(safari), "Safari on iPhone");
        assert_eq!(device_of("curl/8.5"), "curl");
        assert_eq!(device_of(""), "Unknown browser");
    }
}
