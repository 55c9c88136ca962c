//! What one turn of a loop did; a loop works until it is idle, then waits for the bell or the clock.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    Worked,
    Idle,
}

impl Turn {
    /// `Worked` if either did.
    #[must_use]
    pub fn or(self, other: Turn) -> Turn {
        if self == Turn::Worked { self } else { other }
    }
}
