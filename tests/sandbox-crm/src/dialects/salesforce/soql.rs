//! A small and strict part of SOQL: SELECT fields FROM object WHERE a AND b ORDER BY c, d LIMIT n. The words and the shape; what
//! the names mean is `query`'s to check.

use super::answer::Fault;

#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// None: `COUNT()`.
    pub fields: Option<Vec<String>>,
    pub object: String,
    pub conditions: Vec<Condition>,
    /// Descending where true.
    pub order: Vec<(String, bool)>,
    pub limit: Option<usize>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    pub field: String,
    pub operator: String,
    /// More than one for IN.
    pub values: Vec<Literal>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    Text(String),
    /// A number or a time: what is not quoted and no word.
    Bare(String),
    Bool(bool),
    Null,
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    /// Names, keywords, numbers and times.
    Word(String),
    Text(String),
    Sign(String),
}

pub fn parse(text: &str) -> Result<Query, Fault> {
    let mut tokens = Tokens {
        tokens: tokens(text)?,
        position: 0,
    };
    tokens.keyword("SELECT")?;
    let fields = if tokens.take_keyword("COUNT()") {
        None
    } else {
        Some(tokens.list(Tokens::name)?)
    };
    tokens.keyword("FROM")?;
    let object = tokens.name()?;
    let mut conditions = Vec::new();
    if tokens.take_keyword("WHERE") {
        conditions.push(tokens.condition()?);
        while tokens.take_keyword("AND") {
            conditions.push(tokens.condition()?);
        }
    }
    let mut order = Vec::new();
    if tokens.take_keyword("ORDER") {
        tokens.keyword("BY")?;
        order = tokens.list(|tokens| {
            let name = tokens.name()?;
            let down = tokens.take_keyword("DESC");
            if !down {
                tokens.take_keyword("ASC");
            }
            Ok((name, down))
        })?;
    }
    let mut limit = None;
    if tokens.take_keyword("LIMIT") {
        let number = tokens.word()?;
        limit = Some(
            number
                .parse()
                .map_err(|_| malformed(format!("LIMIT needs a number, not {number}")))?,
        );
    }
    match tokens.next() {
        None => Ok(Query {
            fields,
            object,
            conditions,
            order,
            limit,
        }),
        Some(token) => Err(unexpected(&token)),
    }
}

fn malformed(message: impl Into<String>) -> Fault {
    Fault::bad("MALFORMED_QUERY", message)
}

fn unexpected(token: &Token) -> Fault {
    let (Token::Word(text) | Token::Text(text) | Token::Sign(text)) = token;
    malformed(format!("unexpected token: '{text}'"))
}

fn tokens(text: &str) -> Result<Vec<Token>, Fault> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => {}
            ',' | '(' | ')' | '=' => tokens.push(Token::Sign(c.into())),
            '<' | '>' | '!' => {
                let equal = chars.next_if_eq(&'=').is_some();
                if c == '!' && !equal {
                    return Err(malformed("unexpected token: '!'"));
                }
                tokens.push(Token::Sign(if equal { format!("{c}=") } else { c.into() }));
            }
            '\'' => {
                let mut text = String::new();
                loop {
                    match chars.next() {
                        None => return Err(malformed("line 1: unterminated string")),
                        Some('\'') => break,
                        Some('\\') => match chars.next() {
                            Some(c @ ('\'' | '\\' | '"')) => text.push(c),
                            Some('n') => text.push('\n'),
                            Some('r') => text.push('\r'),
                            Some('t') => text.push('\t'),
                            _ => return Err(malformed("Invalid string literal: illegal escape")),
                        },
                        Some(c) => text.push(c),
                    }
                }
                tokens.push(Token::Text(text));
            }
            c if c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+') => {
                let mut word = String::from(c);
                while let Some(c) =
                    chars.next_if(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+' | ':' | '.'))
                {
                    word.push(c);
                }
                // The one function there is.
                if word.eq_ignore_ascii_case("count") && chars.next_if_eq(&'(').is_some() {
                    if chars.next_if_eq(&')').is_none() {
                        return Err(malformed("COUNT takes nothing here"));
                    }
                    word.push_str("()");
                }
                tokens.push(Token::Word(word));
            }
            c => return Err(malformed(format!("line 1: no viable alternative at character '{c}'"))),
        }
    }
    Ok(tokens)
}

struct Tokens {
    tokens: Vec<Token>,
    position: usize,
}

impl Tokens {
    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.position).cloned();
        self.position += 1;
        token
    }

    fn take_keyword(&mut self, keyword: &str) -> bool {
        let here = self.tokens.get(self.position);
        let found = matches!(here, Some(Token::Word(word)) if word.eq_ignore_ascii_case(keyword));
        self.position += usize::from(found);
        found
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.tokens.get(self.position), Some(Token::Sign(here)) if here == sign);
        self.position += usize::from(found);
        found
    }

    fn keyword(&mut self, keyword: &str) -> Result<(), Fault> {
        match self.take_keyword(keyword) {
            true => Ok(()),
            false => Err(malformed(format!("expecting {keyword}"))),
        }
    }

    fn word(&mut self) -> Result<String, Fault> {
        match self.next() {
            Some(Token::Word(word)) => Ok(word),
            Some(token) => Err(unexpected(&token)),
            None => Err(malformed("unexpected token: <EOF>")),
        }
    }

    /// A field or an object, no keyword.
    fn name(&mut self) -> Result<String, Fault> {
        const KEYWORDS: [&str; 8] = ["SELECT", "FROM", "WHERE", "AND", "ORDER", "BY", "LIMIT", "OR"];
        let word = self.word()?;
        let is_name = word.starts_with(|c: char| c.is_ascii_alphabetic())
            && word
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'));
        if !is_name || KEYWORDS.iter().any(|keyword| word.eq_ignore_ascii_case(keyword)) {
            return Err(malformed(format!("unexpected token: '{word}'")));
        }
        Ok(word)
    }

    fn list<T>(&mut self, one: impl Fn(&mut Self) -> Result<T, Fault>) -> Result<Vec<T>, Fault> {
        let mut all = vec![one(self)?];
        while self.take_sign(",") {
            all.push(one(self)?);
        }
        Ok(all)
    }

    fn condition(&mut self) -> Result<Condition, Fault> {
        let field = self.name()?;
        if self.take_keyword("IN") {
            if !self.take_sign("(") {
                return Err(malformed("expecting a left parenthesis"));
            }
            let values = self.list(Self::literal)?;
            if !self.take_sign(")") {
                return Err(malformed("expecting a right parenthesis"));
            }
            let operator = "IN".into();
            return Ok(Condition {
                field,
                operator,
                values,
            });
        }
        match self.next() {
            Some(Token::Sign(operator)) if !matches!(operator.as_str(), "," | "(" | ")") => {
                let values = vec![self.literal()?];
                Ok(Condition {
                    field,
                    operator,
                    values,
                })
            }
            Some(token) => Err(unexpected(&token)),
            None => Err(malformed("unexpected token: <EOF>")),
        }
    }

    fn literal(&mut self) -> Result<Literal, Fault> {
        match self.next() {
            Some(Token::Text(text)) => Ok(Literal::Text(text)),
            Some(Token::Word(word)) => Ok(match word.to_ascii_lowercase().as_str() {
                "true" => Literal::Bool(true),
                "false" => Literal::Bool(false),
                "null" => Literal::Null,
                _ if word.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+')) => Literal::Bare(word),
                _ => return Err(malformed(format!("unexpected token: '{word}'"))),
            }),
            Some(token) => Err(unexpected(&token)),
            None => Err(malformed("unexpected token: <EOF>")),
        }
    }
}
