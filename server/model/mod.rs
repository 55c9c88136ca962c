//! The nouns of the house and the pure rules between them. No I/O, no async; time is an argument.

mod commit_files;
mod delivery;
mod docker_webhook;
mod endpoint;
mod error;
mod event;
mod filters;
mod health;
mod image;
mod likeness;
mod message;
mod names;
mod password;
mod pipeline;
mod run;
mod secret;
mod status;
mod stream;
mod stream_spec;
mod turn;

pub use commit_files::CommitFiles;
pub use delivery::{Delivery, DeliveryPart, DeliverySource, Notice, Reading};
pub use docker_webhook::{
    Check as WebhookCheck, Circumstances, DockerWebhook, ServerType, TokenRight, announced_values,
    check_webhook_name, pattern, put_in,
};
pub use endpoint::{Access, CheckStep, Credentials, EndpointKind};
pub use error::{Error, Result};
pub use event::{Announced, Event, Happened, Outcome};
pub use filters::Filters;
pub use health::{Check, Condition, RunningContainer, Surroundings};
pub use image::{Digest, ImageReference, is_attachment_tag, is_repository, is_tag};
pub use likeness::closest;
pub use message::Message;
pub use names::{
    CommitId, EndpointName, OwnerName, PipelineName, RefName, RepositoryName, RepositoryPath, VariableName,
    is_invisible,
};
pub use password::{LONGEST_PASSWORD, PasswordHash, SHORTEST_PASSWORD};
pub use pipeline::{
    Action, Definition, DefinitionContent, DefinitionSource, Dialect, Finding, Input, InputKind, Piece,
    Stage, Step, Text, Triggers, VariableUse,
};
pub use run::{Cause, Run, RunImage, StageRecord, StepRecord};
pub use secret::Secret;
pub use status::Status;
pub use stream::{
    BaseImage, ImageChange, ImportCondition, Sighting, StreamPath, StreamTagName, TagAddress, TagItem,
};
pub use stream_spec::{
    ImageToTag, ReferencePolicy, StreamImageName, StreamSpec, TagSource, TagSpec, TagsSpec, TriggerSource,
    TriggerSpec, TriggersSpec,
};
pub use turn::Turn;
