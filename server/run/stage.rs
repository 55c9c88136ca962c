//! One stage: its steps in order, output into the stage's log, the first failure ends it.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};

use super::House;
use super::ahead::{Ahead, Resolved, Work};
use super::stop::Stop;
use crate::docker::{EngineError, Exit, Running, Source};
use crate::logs::{Lane, Writer};
use crate::model::{Message, Result, Run, Status};
use crate::msg;
use crate::registry::PushScanner;
use crate::store::runs::{self, StepChange};

/// How long a step that is told to stop may take to do so.
const GRACE: Duration = Duration::from_secs(10);

/// How a stage, and with it perhaps the run, ended.
#[derive(Clone)]
pub struct Ended {
    pub status: Status,
    /// For anything but `passed`.
    pub message: Option<Message>,
}

impl Ended {
    pub fn failed(message: Message) -> Self {
        Ended { status: Status::Failed, message: Some(message) }
    }
}

/// A stage being carried out.
pub struct Stage<'a> {
    pub house: &'a House,
    pub run: &'a Run,
    pub name: &'a str,
    pub ahead: &'a mut Ahead,
    pub log: Writer,
    pub scanner: PushScanner,
    pub stop: Stop,
    /// The earlier one of the run's and the stage's own limit.
    pub deadline: (Instant, Message),
}

impl Stage<'_> {
    /// Carries out `steps`; `later` are the steps of the stages after this one.
    pub async fn carry_out(&mut self, steps: &[Work], later: &[&Work]) -> Result<Ended> {
        for (index, work) in steps.iter().enumerate() {
            if let Some(reason) = self.stop.reason() {
                return Ok(Ended { status: reason.status(), message: Some(reason.message()) });
            }
            let following: Vec<&Work> = steps[index + 1..].iter().chain(later.iter().copied()).collect();
            self.begin(work).await?;
            let (ended, code) = self.step(work, &following).await?;
            self.end(work, ended.status, code).await?;
            if ended.status != Status::Passed {
                return Ok(ended);
            }
        }
        Ok(Ended { status: Status::Passed, message: None })
    }

    async fn begin(&mut self, work: &Work) -> Result<()> {
        let log_from = Some(self.log.end_line()?);
        let change =
            StepChange { stage: work.stage, step: work.step, to: Status::Running, exit_code: None, log_from };
        self.change(change).await
    }

    async fn end(&mut self, work: &Work, to: Status, exit_code: Option<i64>) -> Result<()> {
        let change = StepChange { stage: work.stage, step: work.step, to, exit_code, log_from: None };
        self.change(change).await
    }

    async fn change(&self, change: StepChange) -> Result<()> {
        let id = self.run.id;
        self.house.store.write(move |c| runs::set_step(c, id, change, Timestamp::now())).await?;
        self.house.logs.ring(id);
        Ok(())
    }

    async fn step(&mut self, work: &Work, following: &[&Work]) -> Result<(Ended, Option<i64>)> {
        if let Resolved::Echo(text) = &work.action {
            self.log.line(text)?;
            return Ok((Ended { status: Status::Passed, message: None }, Some(0)));
        }
        match self.script(work, following).await {
            Ok(ended) => Ok(ended),
            Err(EngineError::Gone(message)) => {
                self.log.line(&self.house.say(&message))?;
                Ok((Ended { status: Status::Lost, message: Some(message) }, None))
            }
            // A person can mend what comes with a sentence; it belongs into the log beside the output.
            Err(EngineError::Failed(error)) => match error.message().cloned() {
                Some(message) => {
                    // On a full disk the line cannot be kept either; the run still says it.
                    let _ = self.log.line(&self.house.say(&message));
                    Ok((Ended::failed(message), None))
                }
                None => Err(error),
            },
        }
    }

    async fn script(
        &mut self,
        work: &Work,
        following: &[&Work],
    ) -> Result<(Ended, Option<i64>), EngineError> {
        let limit = work
            .timeout_seconds
            .map(|s| (Instant::now() + Duration::from_secs(s), msg!("run-timeout-step", seconds = s)));
        let deadline = limit.filter(|(at, _)| *at < self.deadline.0).unwrap_or_else(|| self.deadline.clone());
        self.look().await?;
        let prepared = tokio::select! {
            prepared = self.ahead.take(work, &mut self.log) => prepared?,
            reason = self.stop.wanted() => {
                return Ok((Ended { status: reason.status(), message: Some(reason.message()) }, None));
            }
            () = sleep_until(deadline.0) => return Ok((Ended::failed(deadline.1), None)),
        };
        let running = prepared.release().await?;
        self.ahead.begin_some(following.iter().copied());
        let pumped = self.pump(running, deadline).await;
        self.tell()?;
        let (exit, cut) = pumped?;
        Ok((self.judge(exit, cut), Some(exit.code)))
    }

    /// Images that were made under the names of bases count from now on.
    async fn look(&mut self) -> Result<(), EngineError> {
        let Some(guard) = self.ahead.guard.clone() else { return Ok(()) };
        guard.look().await?;
        self.tell()?;
        Ok(())
    }

    /// What was noticed while a step worked.
    fn tell(&mut self) -> Result<()> {
        let lines = self.ahead.guard.as_ref().map(|guard| guard.lines()).unwrap_or_default();
        lines.iter().try_for_each(|line| self.log.line(&self.house.say(line)))
    }

    /// Output into the log until the step ends or has to. `Some` is why it had to.
    async fn pump(
        &mut self,
        mut running: Running,
        deadline: (Instant, Message),
    ) -> Result<(Exit, Option<Ended>), EngineError> {
        let killer = running.killer();
        let mut cut = None;
        let mut kill = None;
        loop {
            tokio::select! {
                output = running.output() => {
                    let Some(output) = output else { break };
                    let lane = match output.source {
                        Source::Stdout => Lane::Out,
                        Source::Stderr => Lane::Err,
                    };
                    self.scanner.feed(&output.bytes);
                    // The container goes with `running` when this fails.
                    self.log.append(lane, &output.bytes)?;
                },
                () = self.log.due() => self.log.flush()?,
                reason = self.stop.wanted(), if cut.is_none() => {
                    cut = Some(Ended { status: reason.status(), message: Some(reason.message()) });
                }
                () = sleep_until(deadline.0), if cut.is_none() => {
                    cut = Some(Ended::failed(deadline.1.clone()));
                }
            }
            if cut.is_some() && kill.is_none() {
                let killer = killer.clone();
                kill = Some(tokio::spawn(async move { killer.kill(GRACE).await }));
            }
        }
        let exit = running.wait().await;
        match (exit, cut) {
            // How it ended does not matter any more: it was told to.
            (Err(_), Some(cut)) => Ok((Exit::killed(), Some(cut))),
            (exit, cut) => Ok((exit?, cut)),
        }
    }

    fn judge(&self, exit: Exit, cut: Option<Ended>) -> Ended {
        if let Some(cut) = cut {
            return cut;
        }
        let stage = self.name;
        match exit.code {
            0 => Ended { status: Status::Passed, message: None },
            _ if exit.out_of_memory => Ended::failed(msg!("run-step-memory", stage = stage)),
            code => Ended::failed(msg!("run-step-failed", stage = stage, code = code)),
        }
    }
}
