//! Where a client may connect to. A name is resolved by the machine's own resolver and every address that comes out
//! is looked at before it is connected to, in the same step, so that a name cannot change its mind in between.
//!
//! Private networks are the rule here, so their addresses are allowed. What is refused leads to this machine itself
//! or to the neighbours only it can reach: loopback, link-local (where clouds keep their credentials), and this
//! server's own door, on whichever of the machine's addresses.

use std::collections::BTreeSet;
use std::error::Error as Cause;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::allowed::AllowedHost;
use super::base::Base;
use super::state::Unresolved;
use crate::model::{Error, Result};
use crate::msg;

/// Where clouds answer to whoever asks from inside, over IPv6.
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254);

/// Looks at addresses. Clones share the ports.
#[derive(Clone)]
pub(super) struct Guard(Option<Arc<Rules>>);

struct Rules {
    /// This server's own port.
    own: Option<u16>,
    /// Loopback, when a person wrote it as an address.
    typed: Vec<IpAddr>,
    /// Every port this client connects to.
    ports: Mutex<BTreeSet<u16>>,
}

impl Guard {
    /// For the stack's own registry, whose address is a setting of the server.
    pub fn none() -> Self {
        Guard(None)
    }

    /// For an endpoint at `base`; `own` is the port this server listens at.
    pub fn of(base: &Base, own: Option<u16>) -> Result<Self> {
        Self::allowing(base, &[], own)
    }

    /// As `of`, for an endpoint whose registry may lead to other hosts.
    pub fn allowing(base: &Base, allowed: &[AllowedHost], own: Option<u16>) -> Result<Self> {
        let written: Vec<IpAddr> =
            base.address().into_iter().chain(allowed.iter().filter_map(AllowedHost::address)).collect();
        let typed = written.iter().copied().filter(IpAddr::is_loopback).collect();
        let ports = std::iter::once(base.port()).chain(allowed.iter().flat_map(AllowedHost::ports)).collect();
        let guard = Guard(Some(Arc::new(Rules { own, typed, ports: Mutex::new(ports) })));
        for address in written {
            // A resolver is never asked about these.
            guard.check(address).map_err(|no| no.refusal(&base.host))?;
        }
        Ok(guard)
    }

    /// From here on this client also connects to that port.
    pub fn add_port(&self, port: u16) {
        if let Guard(Some(rules)) = self {
            rules.ports.lock().unwrap_or_else(PoisonError::into_inner).insert(port);
        }
    }

    pub fn check(&self, address: IpAddr) -> Result<(), Forbidden> {
        let Guard(Some(rules)) = self else { return Ok(()) };
        let address = address.to_canonical();
        let ports = rules.ports.lock().unwrap_or_else(PoisonError::into_inner);
        let own_door = rules.own.is_some_and(|own| ports.contains(&own)) && is_here(address);
        let inside = is_inside(address) && !rules.typed.contains(&address);
        match own_door || inside {
            true => Err(Forbidden(address)),
            false => Ok(()),
        }
    }

    /// The addresses of a name that may be connected to. An address that may not makes them all suspect.
    pub async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, Box<dyn Cause + Send + Sync>> {
        let found = tokio::net::lookup_host((name, 0)).await.map_err(Unresolved)?;
        let found: Vec<IpAddr> = found.map(|address| address.ip()).collect();
        if found.is_empty() {
            return Err(Unresolved(io::Error::from(io::ErrorKind::NotFound)).into());
        }
        for address in &found {
            self.check(*address)?;
        }
        Ok(found)
    }
}

/// What no outside system has for an address.
fn is_inside(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            v4.is_loopback()
                || v4.is_link_local()
                || v4.is_broadcast()
                || v4.is_multicast()
                || v4.octets()[0] == 0
        }
        IpAddr::V6(v6) => {
            v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_multicast()
                || v6.is_unicast_link_local()
                || v6 == METADATA_V6
        }
    }
}

/// Whether an address is one of this machine's: no other can be bound.
fn is_here(address: IpAddr) -> bool {
    UdpSocket::bind(SocketAddr::new(address, 0)).is_ok()
}

/// An address that is not connected to.
#[derive(Debug)]
pub(super) struct Forbidden(pub IpAddr);

impl Forbidden {
    pub fn refusal(&self, host: &str) -> Error {
        Error::Invalid(msg!("endpoints-address-refused", host = host, address = self.0))
    }
}

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not connected to", self.0)
    }
}

impl Cause for Forbidden {}

/// The machine's own resolver (hosts file included), with failures that can be told from others.
impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let found = Guard::resolve(&guard, name.as_str()).await?;
            Ok(Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(url: &str, own: Option<u16>) -> Result<Guard> {
        Guard::of(&Base::parse(url).unwrap(), own)
    }

    #[test]
    fn only_the_way_inside_is_closed() {
        let far = guard("https://registry.example", Some(3000)).unwrap();
        for open in ["10.1.2.3", "172.16.0.1", "192.168.1.1", "203.0.113.7", "2001:db8::1", "fd12::1"] {
            assert!(far.check(open.parse().unwrap()).is_ok(), "{open}");
        }
        for closed in [
            "127.0.0.1",
            "127.8.8.8",
            "169.254.169.254",
            "169.254.0.1",
            "0.0.0.0",
            "0.1.2.3",
            "255.255.255.255",
            "224.0.0.1",
            "::1",
            "::",
            "fe80::1",
            "fd00:ec2::254",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
        ] {
            assert!(far.check(closed.parse().unwrap()).is_err(), "{closed}");
        }
    }

    #[test]
    fn an_address_a_person_wrote_opens_itself_and_nothing_else() {
        let typed = guard("http://127.0.0.1:5001", Some(3000)).unwrap();
        assert!(typed.check("127.0.0.1".parse().unwrap()).is_ok());
        assert!(typed.check("127.0.0.2".parse().unwrap()).is_err());
        assert!(guard("http://[::1]:5001", Some(3000)).is_ok());
        for closed in [
            "http://169.254.169.254",
            "http://[fe80::1]:5000",
            "http://0.0.0.0:5000",
            "http://2130706433:3000",
        ] {
            assert!(guard(closed, Some(3000)).is_err(), "{closed}");
        }
    }

    #[test]
    fn nobody_is_led_to_our_own_door() {
        assert!(guard("http://127.0.0.1:3000", Some(3000)).is_err());
        let typed = guard("http://127.0.0.1:5001", Some(3000)).unwrap();
        typed.add_port(3000);
        assert!(typed.check("127.0.0.1".parse().unwrap()).is_err());
        // Another machine may have what it likes at that port.
        let far = guard("http://registry.example:3000", Some(3000)).unwrap();
        assert!(far.check("192.0.2.1".parse().unwrap()).is_ok());
    }
}
