//! Which addresses of the network a request to the open web may reach.
//!
//! Whoever names an address that the node then fetches could otherwise make it speak to what only the node can reach: its
//! own loopback, the machines beside it, or the metadata service of its cloud, which gives credentials to whoever asks.
//! So an address is public, or it is local and needs a name in the settings, or it is nobody's to ask. Tables: the IANA
//! special-purpose address registries for IPv4 and IPv6 (RFC 6890 and its updates).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How far an address may be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Anybody's on the internet.
    Public,
    /// This machine's or this network's: only where the settings name the host. Says what it is.
    Local(&'static str),
    /// Never to be asked, whatever the settings say. Says what it is.
    Never(&'static str),
}

/// Judges an address.
pub fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(address) => reach_v4(address),
        IpAddr::V6(address) => reach_v6(address),
    }
}

fn reach_v4(address: Ipv4Addr) -> Reach {
    use Reach::{Local, Never, Public};
    match address.octets() {
        // Azure's, Alibaba's and Oracle's have addresses of their own; everybody else's are link-local.
        [168, 63, 129, 16] | [100, 100, 100, 200] | [192, 0, 0, 192] => Never("a cloud's metadata service"),
        [169, 254, ..] => Never("link-local, where clouds keep their metadata service"),
        [0, ..] => Never("unspecified"),
        [224..=239, ..] => Never("multicast"),
        [240..=255, ..] => Never("reserved or broadcast"),
        [192, 88, 99, _] => Never("a 6to4 relay"),
        [127, ..] => Local("loopback"),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Local("private"),
        [100, 64..=127, ..] => Local("shared by a provider's customers (CGNAT)"),
        [198, 18 | 19, ..] => Local("for benchmarks"),
        [192, 0, 0 | 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Local("for protocols or documentation"),
        _ => Public,
    }
}

fn reach_v6(address: Ipv6Addr) -> Reach {
    use Reach::{Local, Never, Public};
    let segments = address.segments();
    match segments {
        [0, 0, 0, 0, 0, 0, 0, 0] => Never("unspecified"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Local("loopback"),
        // The same address in other clothes is judged as what it is.
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => reach_v4(last_four(segments)),
        [0x64, 0xff9b, 1, ..] => Local("a translation to IPv4 of this network"),
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] | [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254] => {
            Never("a cloud's metadata service")
        }
        [0xfc00..=0xfdff, ..] => Local("private (ULA)"),
        [0xfe80..=0xfebf, ..] => Never("link-local"),
        [0xff00..=0xffff, ..] => Never("multicast"),
        [0x2002, ..] => Never("6to4, which carries any IPv4 address"),
        [0x2001, 0, ..] => Never("Teredo, which carries any IPv4 address"),
        [0x2001, 1..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => {
            Local("for protocols or documentation")
        }
        [0x2000..=0x3fff, ..] => Public,
        _ => Never("not in use on the internet"),
    }
}

fn last_four(segments: [u16; 8]) -> Ipv4Addr {
    let [a, b] = segments[6].to_be_bytes();
    let [c, d] = segments[7].to_be_bytes();
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Reach {
        reach(text.parse().expect(text))
    }

    #[test]
    fn what_anybody_may_ask_is_public() {
        for public in [
            "1.1.1.1",
            "193.166.1.1",
            "172.15.255.255",
            "172.32.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "198.20.0.1",
            "2606:4700::1111",
            "2a00:1450:4001::1",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
        ] {
            assert_eq!(of(public), Reach::Public, "{public}");
        }
    }

    #[test]
    fn what_is_of_this_network_needs_a_name_in_the_settings() {
        for local in [
            "127.0.0.1",
            "127.255.255.254",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "198.19.0.1",
            "192.0.2.1",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.1.2.3",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "fd00::1",
            "fc00::1",
            "2001:db8::1",
        ] {
            assert!(matches!(of(local), Reach::Local(_)), "{local}: {:?}", of(local));
        }
    }

    #[test]
    fn some_are_nobodys_to_ask() {
        for never in [
            "169.254.169.254",
            "169.254.170.2",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "168.63.129.16",
            "100.100.100.200",
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::127.0.0.1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2002:7f00:1::",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "fd00:ec2::254",
        ] {
            assert!(matches!(of(never), Reach::Never(_)), "{never}: {:?}", of(never));
        }
    }
}
