//! A fixed number of permits, for connections and for requests in flight. If all are taken, a newcomer evicts one that
//! keeps us waiting, so clients that send data are served and those that only hold a permit are not missed.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::network::Network;

/// Time within which a client has usually sent its request; slower ones are evicted first.
const PATIENCE: Duration = Duration::from_secs(1);

/// The permits that limit concurrent requests.
#[derive(Debug, Clone)]
pub struct Permits(Arc<Mutex<HeldPermits>>);

#[derive(Debug)]
struct HeldPermits {
    most: usize,
    next_id: u64,
    by_id: HashMap<u64, PermitHolder>,
    by_network: HashMap<Network, usize>,
}

#[derive(Debug)]
struct PermitHolder {
    network: Network,
    /// Time since when we wait for the client; none while we work for it.
    waits_since: Option<Instant>,
    given_up: Arc<Notify>,
}

/// A permit; free again when dropped.
#[derive(Debug)]
pub struct Slot {
    permits: Permits,
    id: u64,
    given_up: Arc<Notify>,
}

/// Protects a permit from eviction until dropped, because we are working for its holder.
#[derive(Debug)]
pub struct Working {
    permits: Permits,
    id: u64,
}

impl Permits {
    /// Creates `most` free permits.
    pub fn new(most: usize) -> Self {
        let (by_id, by_network) = (HashMap::new(), HashMap::new());
        Self(Arc::new(Mutex::new(HeldPermits { most, next_id: 0, by_id, by_network })))
    }

    /// Takes a permit for `address`. If none is free, evicts a client we wait for: first among those whose time is up,
    /// then in the network with the most permits, the one that has kept us waiting longest. None if we wait for no
    /// client.
    pub fn take(&self, address: IpAddr, now: Instant) -> Option<Slot> {
        let mut held = self.lock();
        if held.by_id.len() >= held.most {
            held.give_one_up(now)?;
        }
        let (network, given_up) = (Network::from(address), Arc::new(Notify::new()));
        let id = held.next_id;
        held.next_id += 1;
        held.by_id.insert(id, PermitHolder { network, waits_since: Some(now), given_up: given_up.clone() });
        *held.by_network.entry(network).or_default() += 1;
        Some(Slot { permits: self.clone(), id, given_up })
    }

    fn lock(&self) -> MutexGuard<'_, HeldPermits> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HeldPermits {
    fn give_one_up(&mut self, now: Instant) -> Option<()> {
        let waited_for = self.by_id.iter().filter_map(|(id, holder)| {
            let since = holder.waits_since?;
            let had_its_time = now.saturating_duration_since(since) >= PATIENCE;
            let places = self.by_network.get(&holder.network).copied();
            Some((had_its_time, places, Reverse(since), Reverse(*id)))
        });
        let (_, _, _, Reverse(id)) = waited_for.max()?;
        self.remove(id).map(|holder| holder.given_up.notify_one())
    }

    fn remove(&mut self, id: u64) -> Option<PermitHolder> {
        let holder = self.by_id.remove(&id)?;
        if let Some(places) = self.by_network.get_mut(&holder.network) {
            *places -= 1;
            if *places == 0 {
                self.by_network.remove(&holder.network);
            }
        }
        Some(holder)
    }
}

impl Slot {
    /// Waits until the permit is evicted.
    pub async fn given_up(&self) {
        self.given_up.notified().await;
    }

    /// Marks the permit as in use by us, which protects it from eviction.
    pub fn work(&self) -> Working {
        if let Some(holder) = self.permits.lock().by_id.get_mut(&self.id) {
            holder.waits_since = None;
        }
        Working { permits: self.permits.clone(), id: self.id }
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        if let Some(holder) = self.permits.lock().by_id.get_mut(&self.id) {
            holder.waits_since = Some(Instant::now());
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.permits.lock().remove(self.id);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const GREEDY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const GENUINE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn is_given_up(slot: &Slot) -> bool {
        slot.given_up().now_or_never().is_some()
    }

    #[test]
    fn the_longest_waiting_request_is_evicted() {
        let (permits, now) = (Permits::new(3), Instant::now());
        let [first, second, third] = std::array::from_fn(|_| permits.take(GREEDY, now).unwrap());
        let newcomer = permits.take(GREEDY, now).unwrap();
        assert_eq!([&first, &second, &third, &newcomer].map(is_given_up), [true, false, false, false]);
        drop(second.work());
        let last = permits.take(GREEDY, now).unwrap();
        assert_eq!([&second, &third, &newcomer, &last].map(is_given_up), [false, true, false, false]);
    }

    #[test]
    fn a_greedy_address_cannot_evict_others() {
        let (permits, now) = (Permits::new(3), Instant::now());
        let genuine = permits.take(GENUINE, now).unwrap();
        let greedy: Vec<Slot> = std::iter::from_fn(|| permits.take(GREEDY, now)).take(50).collect();
        assert!(!is_given_up(&genuine));
        assert_eq!(greedy.iter().filter(|slot| is_given_up(slot)).count(), 48);
    }

    #[test]
    fn an_overdue_request_is_evicted_before_a_newcomer_of_a_busy_address() {
        let (permits, start) = (Permits::new(3), Instant::now());
        let silent = permits.take(GREEDY, start).unwrap();
        let later = start + PATIENCE;
        let [one, other] = std::array::from_fn(|_| permits.take(GENUINE, later).unwrap());
        let third = permits.take(GENUINE, later).unwrap();
        assert_eq!([&silent, &one, &other, &third].map(is_given_up), [true, false, false, false]);
    }

    #[test]
    fn a_request_in_progress_is_never_evicted() {
        let (permits, now) = (Permits::new(2), Instant::now());
        let held = [GREEDY, GENUINE].map(|address| permits.take(address, now).unwrap());
        let working = held.each_ref().map(Slot::work);
        assert!(permits.take(GENUINE, now).is_none());
        drop(working);
        assert!(permits.take(GENUINE, now).is_some());
    }

    #[test]
    fn a_returned_permit_can_be_used_again() {
        let (permits, now) = (Permits::new(1), Instant::now());
        for _ in 0..10 {
            assert!(!is_given_up(&permits.take(GREEDY, now).unwrap()));
        }
        let held = permits.lock();
        assert!(held.by_id.is_empty() && held.by_network.is_empty());
    }
}
