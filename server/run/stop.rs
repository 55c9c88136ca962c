//! Why a run must end early, told from the loop to the run's task. The first reason counts.

use tokio::sync::watch;

use crate::model::{Message, Status};
use crate::msg;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// By a person, whose name it carries.
    Cancelled(String),
    ShuttingDown,
}

impl Reason {
    pub fn status(&self) -> Status {
        match self {
            Reason::Cancelled(_) => Status::Cancelled,
            Reason::ShuttingDown => Status::Lost,
        }
    }
    pub fn message(&self) -> Message {
        match self {
            Reason::Cancelled(by) => msg!("run-cancelled", by = by),
            Reason::ShuttingDown => msg!("run-lost-shutdown"),
        }
    }
}

pub struct Stopper(watch::Sender<Option<Reason>>);

#[derive(Clone)]
pub struct Stop(watch::Receiver<Option<Reason>>);

impl Stopper {
    pub fn new() -> Self {
        Stopper(watch::Sender::new(None))
    }
    pub fn listen(&self) -> Stop {
        Stop(self.0.subscribe())
    }
    pub fn stop(&self, reason: Reason) {
        self.0.send_if_modified(|known| {
            let first = known.is_none();
            if first {
                *known = Some(reason);
            }
            first
        });
    }
}

impl Stop {
    pub fn reason(&self) -> Option<Reason> {
        self.0.borrow().clone()
    }
    /// Resolves when there is a reason; never otherwise.
    pub async fn wanted(&mut self) -> Reason {
        loop {
            if let Some(reason) = self.0.borrow_and_update().clone() {
                return reason;
            }
            if self.0.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}
