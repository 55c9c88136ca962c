//! The stored variables that a definition names, opened for one run. They are looked up once, when the run starts, so
//! that all its steps see the same values; nothing of them is written with the run. What the run says of itself passes
//! through `hide`, since an engine or a registry may quote what it was given.

use std::collections::BTreeMap;

use super::House;
use super::stage::Ended;
use crate::logs::{Mask, check_secret};
use crate::model::{Definition, Error, Message, Result, Secret, Text, VariableUse};
use crate::msg;
use crate::store::variables::{self, Opened};

/// All secrets of a run together, in bytes: each is looked for in some twenty shapes.
const LARGEST: usize = 16 * 1024;

pub struct Variables {
    /// By the name they are stored under.
    values: BTreeMap<String, Secret>,
    /// Of those that are secret.
    mask: Mask,
}

impl Variables {
    /// `Conflict` for the first that is not there or does not open, and for secrets that cannot be masked.
    pub async fn open(house: &House, definition: &Definition) -> Result<Variables> {
        let (mut values, mut secrets) = (BTreeMap::new(), Vec::new());
        let of_stages = definition.stages.iter().flat_map(|stage| &stage.variables);
        for named in definition.variables.iter().chain(of_stages) {
            if values.contains_key(&named.name) {
                continue;
            }
            let value = match found(house, named)? {
                Opened::Regular(value) => Secret::new(value),
                Opened::Secret(secret) => {
                    secrets.push(secret.clone());
                    secret
                }
                Opened::Closed => {
                    return Err(Error::Conflict(msg!("run-variable-closed", name = named.name)));
                }
            };
            values.insert(named.name.clone(), value);
        }
        if secrets.iter().map(|secret| secret.reveal().len()).sum::<usize>() > LARGEST {
            return Err(Error::Conflict(msg!("run-variables-large", longest = LARGEST)));
        }
        let mask = tokio::task::spawn_blocking(move || Mask::new(&secrets)).await;
        let mask = mask.map_err(|cause| Error::internal("prepare the masking of secrets", cause))??;
        Ok(Variables { values, mask })
    }

    /// For the logs of the run's stages.
    pub fn mask(&self) -> Mask {
        self.mask.clone()
    }

    /// As an environment, below whatever the definition says.
    pub fn environment(&self, named: &[VariableUse]) -> impl Iterator<Item = (String, String)> {
        named.iter().filter_map(|one| {
            let value = self.values.get(&one.name)?;
            Some((one.as_name.clone(), value.reveal().to_owned()))
        })
    }

    /// As a layer of a stage's environment; an input of the same name wins.
    pub fn layer(&self, named: &[VariableUse], inputs: &BTreeMap<String, String>) -> Vec<(String, Text)> {
        let all = self.environment(named).filter(|(name, _)| !inputs.contains_key(name));
        all.map(|(name, value)| (name, Text::literal(value))).collect()
    }

    /// The run's end without a secret in it, for the record and for the server's own log.
    pub fn hide(&self, ended: Result<Ended>) -> Result<Ended> {
        let message = |message: Message| Message {
            key: message.key,
            args: message.args.into_iter().map(|(name, value)| (name, self.mask.text(&value))).collect(),
        };
        match ended {
            Ok(ended) => Ok(Ended { status: ended.status, message: ended.message.map(message) }),
            Err(error) => Err(match error {
                Error::NotFound(said) => Error::NotFound(message(said)),
                Error::Conflict(said) => Error::Conflict(message(said)),
                Error::Invalid(said) => Error::Invalid(message(said)),
                Error::Denied(said) => Error::Denied(message(said)),
                Error::Unavailable(said) => Error::Unavailable(message(said)),
                Error::Internal(text) => Error::Internal(self.mask.text(&text)),
            }),
        }
    }
}

fn found(house: &House, named: &VariableUse) -> Result<Opened> {
    let found = house.store.read(|c| variables::for_run(c, house.store.sealer(), &named.name))?;
    if let Some(Opened::Secret(secret)) = &found {
        // Saved before that was asked for.
        check_secret(secret.reveal())
            .map_err(|_| Error::Conflict(msg!("run-variable-short", name = named.name)))?;
    }
    let missing = || msg!("run-variable-missing", name = named.name, line = named.line);
    found.ok_or_else(|| Error::Conflict(missing()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Status;

    #[test]
    fn what_an_engine_quotes_is_hidden() {
        let secret = Secret::new("hunter2-hunter2");
        let stored = Variables { values: BTreeMap::new(), mask: Mask::new([&secret]).unwrap() };
        let said = msg!("docker-refused", reason = "bad environment TOKEN=hunter2-hunter2");
        let errors: [fn(Message) -> Error; 4] =
            [Error::NotFound, Error::Conflict, Error::Invalid, Error::Denied];
        for error in errors {
            let hidden = stored.hide(Err(error(said.clone()))).err().unwrap().to_string();
            assert!(hidden.contains("TOKEN=********") && !hidden.contains("hunter2"), "{hidden}");
        }
        let internal = stored.hide(Err(Error::Internal("env: hunter2-hunter2".into()))).err().unwrap();
        assert_eq!(internal.to_string(), "internal: env: ********");
        let ended = stored.hide(Ok(Ended::failed(said))).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(ended.status, Status::Failed);
        assert_eq!(ended.message.unwrap().args["reason"], "bad environment TOKEN=********");
    }
}
