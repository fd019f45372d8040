//! The products of the supplier, their lines and families.
//!
//! The supplier's pages name the families and the products AM01, FP01 and FP05; the others are invented in the same
//! style, one product for each family.

use std::collections::BTreeMap;

use fastrand::Rng;
use serde_json::{Value, json};

use super::error_response::ErrorResponse;
use super::generator::short_id;

/// The technology of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Technology {
    Copper,
    Fiber,
    /// The link between the operator and the supplier. Only the supplier creates and ends it.
    Delivery,
}

struct ProductFamily {
    code: &'static str,
    name: &'static str,
    description: &'static str,
    technology: Technology,
}

struct ProductLine {
    code: &'static str,
    name: &'static str,
    description: &'static str,
    family: &'static ProductFamily,
}

struct Product {
    code: &'static str,
    name: &'static str,
    description: &'static str,
    line: &'static ProductLine,
}

static FAMILIES: [ProductFamily; 5] = [
    family("A", "ADSL", "ADSL * technology : ADSL, VDSL, READSL", Technology::Copper),
    family("S", "SDSL", "SDSL * technology : SDSL", Technology::Copper),
    family("M", "SDSL-Max", "SDSL Max * technology : SDSL", Technology::Copper),
    family("F", "FIBR", "Fiber Pro", Technology::Fiber),
    family("N", "ENNI", "ENNI * delivery of collected traffic", Technology::Delivery),
];

static LINES: [ProductLine; 5] = [
    line("AM", "ADSL-Max", "ADSL-MAX * Best of ADSL products", &FAMILIES[0]),
    line("SD", "SDSL", "SDSL * Symmetric copper products", &FAMILIES[1]),
    line("SM", "SDSL-Max", "SDSL-MAX * Best of SDSL products", &FAMILIES[2]),
    line("FP", "PRO-FIBER", "Professional Fiber", &FAMILIES[3]),
    line("EN", "ENNI", "ENNI * Delivery ports", &FAMILIES[4]),
];

static PRODUCTS: [Product; 6] = [
    product("AM01", "ADSL-Max_FULL_BE_KOSC", "ADSL Max * FULL unbundling * Best Effort * KOSC", &LINES[0]),
    product("SD01", "SDSL_FULL_KOSC", "SDSL * FULL unbundling * KOSC", &LINES[1]),
    product("SM01", "SDSL-Max_FULL_KOSC", "SDSL Max * FULL unbundling * KOSC", &LINES[2]),
    product("FP01", "PROFESSIONAL-FIBER 1000", "PROFESSIONAL FIBER 1000/250 Mbit/s", &LINES[3]),
    product("FP05", "PROFESSIONAL-FIBER ONT", "PROFESSIONAL FIBER with installation of the ONT", &LINES[3]),
    product("EN01", "ENNI 10G", "ENNI 10 Gbit/s", &LINES[4]),
];

const fn family(
    code: &'static str,
    name: &'static str,
    description: &'static str,
    technology: Technology,
) -> ProductFamily {
    ProductFamily { code, name, description, technology }
}

const fn line(
    code: &'static str,
    name: &'static str,
    description: &'static str,
    family: &'static ProductFamily,
) -> ProductLine {
    ProductLine { code, name, description, family }
}

const fn product(
    code: &'static str,
    name: &'static str,
    description: &'static str,
    line: &'static ProductLine,
) -> Product {
    Product { code, name, description, line }
}

/// The identifiers of products, lines and families, by code. No code is used twice.
#[derive(Debug)]
pub(super) struct Products(BTreeMap<&'static str, String>);

impl Products {
    pub(super) fn new(rng: &mut Rng) -> Products {
        let families = FAMILIES.iter().map(|family| family.code);
        let lines = LINES.iter().map(|line| line.code);
        let products = PRODUCTS.iter().map(|product| product.code);
        Products(families.chain(lines).chain(products).map(|code| (code, short_id(rng))).collect())
    }

    /// Returns a product with its line and family, as orders contain it.
    pub(super) fn product(&self, code: &str) -> Value {
        let Some(product) = find_product(code) else { return json!({ "code": code }) };
        let (line, family) = (product.line, product.line.family);
        json!({
            "uuid": self.id(product.code),
            "code": product.code,
            "name": product.name,
            "description": product.description,
            "line": {
                "uuid": self.id(line.code),
                "code": line.code,
                "name": line.name,
                "description": line.description,
                "family": {
                    "uuid": self.id(family.code),
                    "code": family.code,
                    "name": family.name,
                    "description": family.description,
                },
            },
        })
    }

    pub(super) fn families(&self) -> Value {
        (0..FAMILIES.len()).map(|index| self.family_at(index)).collect()
    }

    pub(super) fn family(&self, id: &str) -> Result<Value, ErrorResponse> {
        let index = FAMILIES.iter().position(|family| self.id(family.code) == Some(id));
        index.map(|index| self.family_at(index)).ok_or_else(|| ErrorResponse::not_found("product family"))
    }

    pub(super) fn line(&self, id: &str) -> Result<Value, ErrorResponse> {
        let index = LINES.iter().position(|line| self.id(line.code) == Some(id));
        let index = index.ok_or_else(|| ErrorResponse::not_found("product line"))?;
        let line = &LINES[index];
        Ok(json!({
            "product_line_uuid": id,
            "code": line.code,
            "name": line.name,
            "description": line.description,
            "family": { "code": line.family.code, "name": line.family.name },
            "priority": index + 1,
            "line_type": index + 1,
        }))
    }

    fn family_at(&self, index: usize) -> Value {
        let family = &FAMILIES[index];
        json!({
            "product_family_uuid": self.id(family.code),
            "code": family.code,
            "name": family.name,
            "description": family.description,
            "priority": index + 1,
        })
    }

    fn id(&self, code: &str) -> Option<&str> {
        self.0.get(code).map(String::as_str)
    }
}

fn find_product(code: &str) -> Option<&'static Product> {
    PRODUCTS.iter().find(|product| product.code == code)
}

/// Returns the technology of a product, or `None` if there is no such product.
pub(super) fn technology(product_code: &str) -> Option<Technology> {
    find_product(product_code).map(|product| product.line.family.technology)
}

/// Returns the codes of the products of a technology, optionally limited to some lines.
pub(super) fn product_codes(technology: Technology, lines: Option<&[&str]>) -> Vec<&'static str> {
    PRODUCTS
        .iter()
        .filter(|product| product.line.family.technology == technology)
        .filter(|product| lines.is_none_or(|lines| lines.contains(&product.line.code)))
        .map(|product| product.code)
        .collect()
}
