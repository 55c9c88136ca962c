//! The door for people, git and programs: actix-web and askama live here and nowhere else.

pub mod ansi;
pub mod assets;
pub mod pages;
