//! Options that name an operation of one or several suppliers.

use std::str::FromStr;

use lastmile_sandbox::{Fault, Faults, SupplierName};

/// An operation such as `createOrder` or `onapi:createOrder`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OperationName {
    /// The suppliers that have the operation.
    pub(super) suppliers: Vec<SupplierName>,
    pub(super) operation: String,
}

impl FromStr for OperationName {
    type Err = String;

    fn from_str(text: &str) -> Result<OperationName, String> {
        let (wanted, operation) = split_supplier(text)?;
        let has_it = |name: &SupplierName| name.spec().operation(operation).is_some();
        let suppliers: Vec<_> = wanted.into_iter().filter(has_it).collect();
        if suppliers.is_empty() {
            return Err(format!(
                "no supplier has an operation {operation}; operations are named as in its openapi.yaml"
            ));
        }
        Ok(OperationName { suppliers, operation: operation.to_owned() })
    }
}

/// Returns the suppliers that a text is about, and the rest of it.
fn split_supplier(text: &str) -> Result<(Vec<SupplierName>, &str), String> {
    match text.split_once(':') {
        None => Ok((SupplierName::ALL.into(), text)),
        Some((key, rest)) => match SupplierName::from_key(key) {
            Some(name) => Ok((vec![name], rest)),
            None => Err(format!("the suppliers are cocon, covage and onapi, not {key}")),
        },
    }
}

/// A fault of an operation, such as `createOrder=reset-after@0.5`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FaultRule {
    suppliers: Vec<SupplierName>,
    /// `None` for all requests.
    operation: Option<String>,
    fault: Fault,
    share: f64,
}

impl FromStr for FaultRule {
    type Err = String;

    fn from_str(text: &str) -> Result<FaultRule, String> {
        let (operation, fault) =
            text.split_once('=').ok_or("it has no =; an example is createOrder=reset-after@0.5")?;
        let (fault, share) = match fault.split_once('@') {
            None => (fault, 1.0),
            Some((fault, share)) => (fault, share_of(share)?),
        };
        let fault = fault.parse().map_err(|error: lastmile_sandbox::ParseFaultError| error.to_string())?;
        if let (suppliers, "*") = split_supplier(operation)? {
            return Ok(FaultRule { suppliers, operation: None, fault, share });
        }
        let OperationName { suppliers, operation } = operation.parse()?;
        Ok(FaultRule { suppliers, operation: Some(operation), fault, share })
    }
}

impl FaultRule {
    /// Returns the faults of a supplier, if the rule is about it.
    pub(super) fn faults(&self, supplier: SupplierName, seed: u64) -> Option<Faults> {
        let faults = Faults::new(seed, self.share, [self.fault]);
        self.suppliers.contains(&supplier).then(|| match &self.operation {
            Some(operation) => faults.only([operation.as_str()]),
            None => faults,
        })
    }
}

/// Parses a share from 0 to 1.
pub(super) fn share_of(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "a share is a number from 0 to 1".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_names_suppliers_operation_fault_and_share() {
        let rule: FaultRule = "createOrder=latency:250@0.5".parse().unwrap();
        assert_eq!(rule.suppliers, [SupplierName::Covage, SupplierName::OnApi]);
        let faults = rule.faults(SupplierName::OnApi, 7).unwrap();
        assert_eq!(
            faults,
            Faults::new(7, 0.5, [Fault::Latency(std::time::Duration::from_millis(250))])
                .only(["createOrder"])
        );
        assert_eq!(rule.faults(SupplierName::Cocon, 7), None);
        let rule: FaultRule = "onapi:*=silence".parse().unwrap();
        assert_eq!(rule.faults(SupplierName::OnApi, 1), Some(Faults::new(1, 1.0, [Fault::Silence])));
        assert_eq!(rule.faults(SupplierName::Covage, 1), None);
    }

    #[test]
    fn invalid_rules_are_errors() {
        for rule in [
            "",
            "createOrder",
            "createOrder=",
            "createOrder=slow",
            "createOrder=silence@2",
            "x=silence",
            "cocon:createOrder=silence",
            "kpn:createOrder=silence",
        ] {
            assert!(rule.parse::<FaultRule>().is_err(), "{rule}");
        }
        assert!("createContact".parse::<OperationName>().is_ok_and(|name| name.suppliers.len() == 2));
        assert!("orders".parse::<OperationName>().is_err());
    }
}
