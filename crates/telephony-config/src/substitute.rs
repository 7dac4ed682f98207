//! Substitutes variables: `${NAME}` stands for a variable, `$${NAME}` for itself.

use crate::environment::Environment;

/// Substitutes the variables in a text.
///
/// # Errors
/// The name of the first variable that is missing or empty.
pub(crate) fn substitute(text: &str, environment: &Environment) -> Result<String, String> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(dollar) = rest.find('$') {
        filled.push_str(&rest[..dollar]);
        rest = &rest[dollar..];
        if let Some((name, after)) = rest.strip_prefix('$').and_then(reference) {
            filled.push_str(environment.get(name).ok_or(name)?);
            rest = after;
        } else if let Some((name, after)) = rest.strip_prefix("$$").and_then(reference) {
            filled.push_str(&format!("${{{name}}}"));
            rest = after;
        } else {
            filled.push('$');
            rest = &rest[1..];
        }
    }
    filled.push_str(rest);
    Ok(filled)
}

/// Splits off the name of a `{NAME}` at the start of `text`; upper case only, as in OpenClaw.
fn reference(text: &str) -> Option<(&str, &str)> {
    let (name, after) = text.strip_prefix('{')?.split_once('}')?;
    is_variable(name).then_some((name, after))
}

/// Returns true if `name` is a valid variable for OpenClaw: `[A-Z_][A-Z0-9_]*`.
pub(crate) fn is_variable(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_upper_case_names_are_variables_and_two_dollars_are_literal() {
        let environment = Environment::new([("A_1".to_owned(), "x".to_owned()), ("E".to_owned(), String::new())], "/");
        for (text, expected) in [
            ("${A_1}/v1${A_1}", Ok("x/v1x")),
            ("$${A_1}", Ok("${A_1}")),
            ("$$${A_1}", Ok("$${A_1}")),
            ("$A_1 ${a} ${1A} ${} ${A", Ok("$A_1 ${a} ${1A} ${} ${A")),
            ("cost: 5$", Ok("cost: 5$")),
            ("${MISSING}", Err("MISSING")),
            ("${E}", Err("E")),
        ] {
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(substitute(text, &environment), expected, "{text}");
        }
    }
}
