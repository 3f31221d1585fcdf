//! The arithmetic of an evenly paced window (GCRA): one number, the time at which everything taken is paid off.
//!
//! Pure: numbers in, numbers out. Where the number is kept and who else changes it is the business of `slot`.

/// A window as nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    amount: u64,
    burst: u64,
    period: u64,
    /// How long one unit takes to be paid off.
    step: u64,
}

/// What is said to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may go; from now on everything is paid off at this time.
    Go(u64),
    /// It may not for so many nanoseconds. A number that cannot be is to be replaced by the second.
    Wait(u64, Option<u64>),
}

impl Pace {
    /// Of `amount` in `period` nanoseconds, `burst` of them at once: the rest comes evenly, so that no window of this
    /// length, both ends included, sees more than the amount.
    #[inline]
    #[must_use]
    pub const fn new(amount: u64, burst: u64, period: u64) -> Self {
        let amount = if amount == 0 { 1 } else { amount };
        let most = if amount == 1 { 1 } else { amount - 1 };
        let burst = match burst {
            0 => 1,
            burst if burst > most => most,
            burst => burst,
        };
        let step = match amount - burst {
            // One in a window: the next after its end.
            0 => period.saturating_add(1),
            even => period.div_ceil(even),
        };
        Self {
            amount,
            burst,
            period,
            step: if step == 0 { 1 } else { step },
        }
    }

    /// How long until `units` are paid off.
    const fn pays(&self, units: u64) -> u64 {
        units.saturating_mul(self.step)
    }

    /// No honest number lies further ahead: a request of the whole amount right after a pause.
    const fn furthest(&self, now: u64) -> u64 {
        now.saturating_add(self.period).saturating_add(self.pays(self.burst))
    }

    /// A number that lies too far ahead is corrupt: one window from now all that it can stand for has passed.
    const fn honest(&self, paid: u64, now: u64) -> u64 {
        let furthest = self.furthest(now);
        if paid > furthest { furthest } else { paid }
    }

    /// Whether `cost` may be taken now.
    ///
    /// A cost above the burst waits until as much of the window has stayed unused as it exceeds the burst by: only then it
    /// cannot meet with what went before. A cost above the amount waits for an unused window.
    #[inline]
    #[must_use]
    pub const fn decide(&self, paid: u64, now: u64, cost: u64) -> Verdict {
        let cost = if cost > self.amount { self.amount } else { cost };
        if cost == 0 {
            return Verdict::Go(paid);
        }
        let honest = self.honest(paid, now);
        let latest = if cost <= self.burst {
            now.saturating_add(self.pays(self.burst - cost))
        } else {
            now.saturating_sub(self.pays(cost - self.burst))
        };
        if honest > latest {
            let corrected = if honest < paid { Some(honest) } else { None };
            return Verdict::Wait(honest - latest, corrected);
        }
        let from = if honest > now { honest } else { now };
        Verdict::Go(from.saturating_add(self.pays(cost)))
    }

    /// The number after giving back what was taken at `taken`.
    ///
    /// Once the cost is paid off there may have been a pause, in which what would be given back went by unused: then there
    /// is nothing to give.
    #[must_use]
    pub const fn given_back(&self, paid: u64, taken: u64, now: u64, cost: u64) -> u64 {
        let cost = if cost > self.amount { self.amount } else { cost };
        let pays = self.pays(cost);
        if now.saturating_sub(taken) < pays {
            paid.saturating_sub(pays)
        } else {
            paid
        }
    }

    /// The number at which only so many may go at once.
    #[must_use]
    pub const fn leaving(&self, left: u64, now: u64) -> u64 {
        now.saturating_add(self.pays(self.burst.saturating_sub(left)))
    }

    /// What is not paid off yet.
    #[must_use]
    pub const fn used(&self, paid: u64, now: u64) -> u64 {
        self.honest(paid, now).saturating_sub(now).div_ceil(self.step)
    }

    /// What may go at once.
    #[must_use]
    pub const fn left(&self, paid: u64, now: u64) -> u64 {
        self.burst.saturating_sub(self.used(paid, now))
    }
}
