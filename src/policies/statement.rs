//! The form of a policy: what IAM and S3 read, in the order in which people write it.

use serde::Serialize;
use serde_json::Value;

/// A policy: a version and statements, which serialize as IAM and S3 want them.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Policy {
    version: &'static str,
    statement: Vec<Statement>,
}

impl Policy {
    pub(super) fn new(statement: Vec<Statement>) -> Self {
        Self { version: "2012-10-17", statement }
    }
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Statement {
    pub(super) sid: &'static str,
    pub(super) effect: Effect,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) principal: Option<Value>,
    pub(super) action: Vec<&'static str>,
    /// Empty in a trust policy, which is about the role that it belongs to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) resource: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) condition: Option<Value>,
}

impl Statement {
    /// Allows whoever the policy is attached to.
    pub(super) fn allow(sid: &'static str, action: &[&'static str], resource: Vec<String>) -> Self {
        Self {
            sid,
            effect: Effect::Allow,
            principal: None,
            action: action.to_vec(),
            resource,
            condition: None,
        }
    }

    /// Lets a principal take the role that the policy belongs to.
    pub(super) fn trust(
        sid: &'static str,
        principal: Value,
        action: &[&'static str],
        condition: Option<Value>,
    ) -> Self {
        Self { principal: Some(principal), condition, ..Self::allow(sid, action, Vec::new()) }
    }
}

#[derive(Debug, Clone, Copy, Serialize)]
pub(super) enum Effect {
    Allow,
    Deny,
}
