//! How many connections a client may have at once, and how many there may be in all.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use kernel::address::client_network;

/// A number of places, of which a client takes a few at most. Clones share it.
#[derive(Clone)]
pub struct Places(Arc<Shared>);

struct Shared {
    total: usize,
    per_client: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    total: usize,
    by_client: HashMap<IpAddr, usize>,
}

impl Places {
    pub fn new(total: usize, per_client: usize) -> Self {
        Self(Arc::new(Shared { total, per_client, taken: Mutex::default() }))
    }

    /// Takes a place for the client with this address, if there is one. A client is an IPv4 address or a /64; one
    /// without an address, such as a trusted proxy, which stands for many clients, takes a place of the total alone.
    pub fn take(&self, address: Option<IpAddr>) -> Option<Permit> {
        let client = address.map(client_network);
        let mut taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.total >= self.0.total {
            return None;
        }
        if let Some(client) = client {
            let by_client = taken.by_client.entry(client).or_default();
            if *by_client >= self.0.per_client {
                return None;
            }
            *by_client += 1;
        }
        taken.total += 1;
        Some(Permit { places: self.0.clone(), client })
    }
}

/// A place that is taken until this is dropped.
pub struct Permit {
    places: Arc<Shared>,
    client: Option<IpAddr>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.total -= 1;
        if let Some(client) = self.client
            && let Some(left) = taken.by_client.get_mut(&client)
        {
            *left -= 1;
            if *left == 0 {
                taken.by_client.remove(&client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().expect("an address"))
    }

    #[test]
    fn a_client_takes_its_places_and_leaves_the_others_theirs() {
        let places = Places::new(4, 2);
        let (one, other) = (address("192.0.2.1"), address("192.0.2.2"));
        let held: Vec<_> = (0..2).map(|_| places.take(one).expect("a place")).collect();
        assert!(places.take(one).is_none());
        assert!(places.take(address("::ffff:192.0.2.1")).is_none(), "the same client");
        let of_other = places.take(other).expect("a place");
        let of_proxy = places.take(None).expect("a place");
        assert!(places.take(address("192.0.2.3")).is_none(), "all are taken");
        drop(of_proxy);
        drop(held);
        drop(of_other);
        let taken = places.0.taken.lock().expect("no panic");
        assert_eq!((taken.total, taken.by_client.len()), (0, 0));
    }

    #[test]
    fn all_addresses_of_a_64_are_one_client() {
        let places = Places::new(10, 1);
        let held = places.take(address("2001:db8::1"));
        assert!(held.is_some() && places.take(address("2001:db8::2")).is_none());
        assert!(places.take(address("2001:db8:0:1::1")).is_some());
    }
}
