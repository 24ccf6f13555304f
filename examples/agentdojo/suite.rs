//! A suite: what its host says of the tools, the policies of its house, and how far each task goes in a person's reading.
//! All of it is written from the prompts and the list of tools alone.

use std::collections::BTreeMap;
use std::error::Error;

use bailiwick::mandate::{ActionClass, Grant, Label, Resource, Scope};
use bailiwick::policy::Catalog;
use serde::Deserialize;

/// One suite's files, which are part of this program.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Suite {
    pub(crate) name: &'static str,
    /// The class and the labels of each tool, and why.
    tools: &'static str,
    /// What the house lets agents do.
    pub(crate) policies: &'static str,
    /// How far each task goes, as the person who wrote the prompt would say.
    scopes: &'static str,
}

/// Every suite.
pub(crate) const SUITES: [Suite; 2] = [
    Suite {
        name: "banking",
        tools: include_str!("banking/tools.json"),
        policies: include_str!("banking/policies.cedar"),
        scopes: include_str!("banking/scopes.json"),
    },
    Suite {
        name: "slack",
        tools: include_str!("slack/tools.json"),
        policies: include_str!("slack/policies.cedar"),
        scopes: include_str!("slack/scopes.json"),
    },
];

/// What the host says of the tools; each `why` is for people.
#[derive(Deserialize)]
struct Host {
    resource: Resource,
    tools: BTreeMap<String, Declared>,
}

#[derive(Deserialize)]
struct Declared {
    class: ActionClass,
    #[serde(default)]
    labels: Vec<Label>,
}

/// How far a task goes, in words and as a scope.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reading {
    pub(crate) reading: String,
    pub(crate) scope: Scope,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// The tools that read what is the person's own: open in every task.
    reads: Vec<String>,
    tasks: BTreeMap<String, Reading>,
}

impl Suite {
    /// The tools that the server lists, each with the host's class and labels, and what they all touch.
    pub(crate) fn tools(&self, listed: &Catalog) -> Result<(Catalog, Resource), Box<dyn Error>> {
        let mut host: Host = serde_json::from_str(self.tools)?;
        let catalog = listed.tools().try_fold(Catalog::new(), |catalog, tool| {
            let declared = host.tools.remove(tool.name().as_str());
            let Declared { class, labels } =
                declared.ok_or_else(|| format!("no class is declared for {}", tool.name()))?;
            let tool = labels.into_iter().fold(tool.clone().classed(class), |tool, label| tool.labelled(label));
            Ok::<_, Box<dyn Error>>(catalog.with(tool)?)
        })?;
        match host.tools.keys().next() {
            None => Ok((catalog, host.resource)),
            Some(tool) => Err(format!("a class is declared for {tool}, which the server does not list").into()),
        }
    }

    /// How far each task goes.
    pub(crate) fn readings(&self) -> Result<BTreeMap<String, Reading>, Box<dyn Error>> {
        let Written { reads, tasks } = serde_json::from_str(self.scopes)?;
        let opened = |(task, Reading { reading, scope })| {
            let scope = reads.iter().try_fold(scope, |scope, tool| scope.allow(tool, Grant::new()))?;
            Ok((task, Reading { reading, scope }))
        };
        tasks.into_iter().map(opened).collect()
    }
}
