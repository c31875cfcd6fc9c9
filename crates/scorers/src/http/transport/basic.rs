//! `Authorization: Basic`, for an address or a proxy with a user name.

use data_encoding::BASE64;
use percent_encoding::percent_decode_str;

/// The header's value for a user name and password, both percent-encoded as in an address.
pub(super) fn basic(user: &str, password: Option<&str>) -> String {
    let mut pair: Vec<u8> = percent_decode_str(user).collect();
    pair.push(b':');
    pair.extend(percent_decode_str(password.unwrap_or_default()));
    format!("Basic {}", BASE64.encode(&pair))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_standard_holds() {
        let value = basic("Aladdin", Some("open%20sesame"));
        assert_eq!(value, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    }
}
