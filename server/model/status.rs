//! The statuses of runs, stages and steps, and the rule that they only move forward.

use std::fmt;

use serde::{Deserialize, Serialize};

/// `queued -> waiting -> running ->` one of the final ones. `Skipped` is for stages after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Queued,
    Waiting,
    Running,
    Passed,
    Unstable,
    Failed,
    Cancelled,
    Superseded,
    Lost,
    Skipped,
}

impl Status {
    pub const ALL: [Status; 10] = [
        Status::Queued,
        Status::Waiting,
        Status::Running,
        Status::Passed,
        Status::Unstable,
        Status::Failed,
        Status::Cancelled,
        Status::Superseded,
        Status::Lost,
        Status::Skipped,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Queued => "queued",
            Status::Waiting => "waiting",
            Status::Running => "running",
            Status::Passed => "passed",
            Status::Unstable => "unstable",
            Status::Failed => "failed",
            Status::Cancelled => "cancelled",
            Status::Superseded => "superseded",
            Status::Lost => "lost",
            Status::Skipped => "skipped",
        }
    }

    pub const fn is_final(self) -> bool {
        !matches!(self, Status::Queued | Status::Waiting | Status::Running)
    }

    /// Whether a run, stage or step in `self` may become `next`. A final status never changes.
    pub const fn may_become(self, next: Status) -> bool {
        match (self, next) {
            (Status::Queued, Status::Queued) | (Status::Waiting, Status::Queued | Status::Waiting) => false,
            (Status::Running, Status::Queued | Status::Waiting | Status::Running | Status::Skipped) => false,
            _ => !self.is_final(),
        }
    }

    /// The status of a run whose stages ended as given: passed only when every one of them passed.
    pub fn of_stages(stages: &[Status]) -> Status {
        let has = |wanted| stages.contains(&wanted);
        if has(Status::Lost) {
            Status::Lost
        } else if has(Status::Cancelled) {
            Status::Cancelled
        } else if has(Status::Failed) {
            Status::Failed
        } else if !stages.is_empty() && stages.iter().all(|s| *s == Status::Passed) {
            Status::Passed
        } else if !stages.is_empty() && stages.iter().all(|s| matches!(s, Status::Passed | Status::Unstable))
        {
            Status::Unstable
        } else {
            Status::Failed
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Status {
    type Err = super::Error;
    fn from_str(value: &str) -> super::Result<Self> {
        let known = Status::ALL.into_iter().find(|s| s.as_str() == value);
        known.ok_or_else(|| {
            super::Error::Invalid(crate::msg!("status-unknown", status = value.escape_debug()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_final_status_never_changes() {
        for from in Status::ALL.into_iter().filter(|s| s.is_final()) {
            for to in Status::ALL {
                assert!(!from.may_become(to), "{from} -> {to}");
            }
        }
        assert!(Status::Queued.may_become(Status::Running));
        assert!(Status::Running.may_become(Status::Lost));
        assert!(!Status::Running.may_become(Status::Queued));
    }

    #[test]
    fn no_information_is_never_success() {
        assert_eq!(Status::of_stages(&[]), Status::Failed);
        assert_eq!(Status::of_stages(&[Status::Passed, Status::Skipped]), Status::Failed);
        assert_eq!(Status::of_stages(&[Status::Passed, Status::Queued]), Status::Failed);
        assert_eq!(Status::of_stages(&[Status::Passed, Status::Passed]), Status::Passed);
    }
}
