//! Lets an AI agent act for people without being mistaken for one.
#![doc = "todo"]

pub mod audit;
mod authorizer;
mod canonical;
pub mod credential;
pub mod entropy;
mod error;
pub mod id;
pub mod identity;
pub mod jose;
mod json;
mod live;
pub mod mandate;
pub mod policy;
pub mod secret;
mod task;
pub mod time;

pub use authorizer::{Authorizer, Builder, Halt, Swept};
pub use canonical::Digest;
pub use error::Error;
pub use json::JsonError;
pub use task::{Closed, Task, TaskHandle};
