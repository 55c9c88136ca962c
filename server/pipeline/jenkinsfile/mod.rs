//! Jenkins' Declarative Pipeline, as far as it is carried out here without Jenkins: `pipeline`,
//! `agent any`, `environment`, `stages`, `stage`, `steps`, `dir`, `sh`, `bat`, `echo`.
//!
//! Nothing is evaluated and no Groovy is run. Text becomes tokens, brackets are matched, and a parser of
//! fixed shape reads the sections; all else is reported by name and place. Time and memory grow with the
//! file's length, and nesting deeper than a person writes is refused.

mod call;
mod expression;
mod lexer;
mod parser;
mod stages;
mod steps;
mod string;
mod token;
mod vocabulary;

use super::finding::Findings;
use crate::model::Definition;

pub use stages::is_stage_name;

/// The definition in `text` (newlines are `\n` only), with whatever is wrong in `findings`.
pub fn read(text: &str, findings: &mut Findings) -> Option<Definition> {
    let tokens = lexer::tokens(text, findings)?;
    let closes = token::match_brackets(&tokens, findings)?;
    let source = call::Source { tokens: &tokens, closes };
    parser::Parser { source, findings, stage_names: Vec::new(), step_count: 0 }.file()
}
