//! Who may take the service's role: the place where it runs, and no other.

use serde_json::json;

use super::Place;
use super::statement::{Policy, Statement};

/// Tasks of this account's clusters in this region, on ECS and Fargate.
pub fn ecs_trust(place: &Place) -> Policy {
    let Place { account_id, region } = place;
    // otherwise ECS could be made to take the role for a task of somebody else's account
    let condition = json!({
        "ArnLike": { "aws:SourceArn": format!("arn:{}:ecs:{region}:{account_id}:*", place.partition()) },
        "StringEquals": { "aws:SourceAccount": account_id },
    });
    assume("Ecs", "ecs-tasks.amazonaws.com", &["sts:AssumeRole"], Some(condition))
}

/// Pods of one service account, by EKS Pod Identity.
pub fn eks_trust(namespace: &str, service_account: &str) -> Policy {
    let condition = json!({
        "StringEquals": {
            "aws:RequestTag/kubernetes-namespace": namespace,
            "aws:RequestTag/kubernetes-service-account": service_account,
        },
    });
    assume("EksPodIdentity", "pods.eks.amazonaws.com", &["sts:AssumeRole", "sts:TagSession"], Some(condition))
}

/// Pods of one service account, by the older way of the cluster's own identity provider (IRSA). `provider` is its address
/// without `https://`.
pub fn irsa_trust(place: &Place, provider: &str, namespace: &str, service_account: &str) -> Policy {
    let provider_arn =
        format!("arn:{}:iam::{}:oidc-provider/{provider}", place.partition(), place.account_id);
    let condition = json!({
        "StringEquals": {
            format!("{provider}:aud"): "sts.amazonaws.com",
            format!("{provider}:sub"): format!("system:serviceaccount:{namespace}:{service_account}"),
        },
    });
    let federated = json!({ "Federated": provider_arn });
    Policy::new(vec![Statement::trust(
        "EksServiceAccount",
        federated,
        &["sts:AssumeRoleWithWebIdentity"],
        Some(condition),
    )])
}

/// Lambda functions of the account; who may create one with the role is decided by `iam:PassRole`.
pub fn lambda_trust() -> Policy {
    assume("Lambda", "lambda.amazonaws.com", &["sts:AssumeRole"], None)
}

fn assume(
    sid: &'static str,
    service: &str,
    actions: &[&'static str],
    condition: Option<serde_json::Value>,
) -> Policy {
    Policy::new(vec![Statement::trust(sid, json!({ "Service": service }), actions, condition)])
}
