//! What time it is: real, or fixed for tests.
//!
//! Nothing below `node` reads the system's clock for a decision; it asks a [`Clock`] that it was given. A test hands out
//! a [`FixedClock`] and moves it, so that expiry and grace are promises and not waits.

use std::fmt;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use parking_lot::RwLock;

/// Something that knows the present moment.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A clock that stands still until it is moved. Clones share the same moment.
#[derive(Debug, Clone)]
pub struct FixedClock(Arc<RwLock<Timestamp>>);

impl FixedClock {
    /// A clock that stands at `moment`.
    pub fn at(moment: Timestamp) -> Self {
        Self(Arc::new(RwLock::new(moment)))
    }

    /// Moves the clock to `moment`, forwards or back.
    pub fn set(&self, moment: Timestamp) {
        *self.0.write() = moment;
    }

    /// Moves the clock by `step`; it stops at the ends of time.
    pub fn advance(&self, step: SignedDuration) {
        let mut moment = self.0.write();
        let end = if step.is_negative() { Timestamp::MIN } else { Timestamp::MAX };
        *moment = moment.checked_add(step).unwrap_or(end);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        *self.0.read()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_clock_moves_only_when_it_is_moved_and_for_all_who_share_it() {
        let clock = FixedClock::at(Timestamp::UNIX_EPOCH);
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        clock.advance(SignedDuration::from_hours(1));
        assert_eq!(shared.now().as_second(), 3600);
        clock.advance(SignedDuration::MAX);
        assert_eq!(shared.now(), Timestamp::MAX);
    }
}
