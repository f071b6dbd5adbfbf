//! Reads the statements that the store writes for PostgreSQL: so much of SQL as they use.

use crate::sql::ast::{Expr, OnConflict, Rows, Select, Source, Statement};
use crate::sql::lexer::{Token, tokens};
use crate::sql::value::{Type, Value};

/// The tree of a statement.
///
/// # Errors
/// Where the text is of another form.
pub fn parse(text: &str) -> Result<Statement, String> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0 };
    let statement = parser.statement()?;
    if parser.at < parser.tokens.len() { Err(parser.unexpected("the end")) } else { Ok(statement) }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

type Parsed<T> = Result<T, String>;

/// Words after which no name without AS stands for what was before.
const RESERVED: [&str; 14] = [
    "where", "order", "group", "limit", "for", "on", "as", "with", "union", "left", "join", "from", "set",
    "cross",
];

impl Parser {
    fn unexpected(&self, wanted: &str) -> String {
        format!("expected {wanted} at {:?}", &self.tokens[self.at.min(self.tokens.len())..])
    }

    fn peek(&self, ahead: usize) -> Option<&Token> {
        self.tokens.get(self.at + ahead)
    }

    fn is_word(&self, ahead: usize, word: &str) -> bool {
        matches!(self.peek(ahead), Some(Token::Word(found)) if found == word)
    }

    /// Takes a word if it is next.
    fn word(&mut self, word: &str) -> bool {
        let is_next = self.is_word(0, word);
        self.at += usize::from(is_next);
        is_next
    }

    fn sign(&mut self, sign: &str) -> bool {
        let is_next = matches!(self.peek(0), Some(Token::Sign(found)) if *found == sign);
        self.at += usize::from(is_next);
        is_next
    }

    fn need(&mut self, words: &[&str]) -> Parsed<()> {
        for word in words {
            if !self.word(word) && !self.sign(word) {
                return Err(self.unexpected(word));
            }
        }
        Ok(())
    }

    fn name(&mut self) -> Parsed<String> {
        match self.peek(0) {
            Some(Token::Word(name)) => {
                let name = name.clone();
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.unexpected("a name")),
        }
    }

    /// One or more, with commas.
    fn list<T>(&mut self, one: impl Fn(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut all = vec![one(self)?];
        while self.sign(",") {
            all.push(one(self)?);
        }
        Ok(all)
    }

    fn in_brackets<T>(&mut self, inner: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.need(&["("])?;
        let found = inner(self)?;
        self.need(&[")"])?;
        Ok(found)
    }

    fn statement(&mut self) -> Parsed<Statement> {
        if self.word("with") {
            let named = |parser: &mut Self| {
                parser.name()?;
                parser.need(&["as"])?;
                parser.in_brackets(Self::statement)
            };
            let all = self.list(named)?;
            self.need(&["select"])?;
            self.expression()?;
            return Ok(Statement::Together(all));
        }
        if self.word("insert") {
            return self.insert();
        }
        if self.word("update") {
            let table = self.name()?;
            self.need(&["set"])?;
            let set = self.list(Self::assignment)?;
            return Ok(Statement::Update { table, set, filter: self.filter()? });
        }
        if self.word("delete") {
            self.need(&["from"])?;
            return Ok(Statement::Delete { table: self.name()?, filter: self.filter()? });
        }
        Ok(Statement::Select(self.select()?))
    }

    fn insert(&mut self) -> Parsed<Statement> {
        self.need(&["into"])?;
        let table = self.name()?;
        let columns = self.in_brackets(|parser| parser.list(Self::name))?;
        let rows = if self.word("values") {
            Rows::Values(self.in_brackets(|parser| parser.list(Self::expression))?)
        } else {
            Rows::Query(self.select()?)
        };
        let on_conflict = if self.word("on") { self.on_conflict()? } else { OnConflict::Fail };
        Ok(Statement::Insert { table, columns, rows, on_conflict })
    }

    fn on_conflict(&mut self) -> Parsed<OnConflict> {
        self.need(&["conflict"])?;
        if self.sign("(") {
            self.name()?;
            self.need(&[")"])?;
        }
        self.need(&["do"])?;
        if self.word("nothing") {
            return Ok(OnConflict::Nothing);
        }
        self.need(&["update", "set"])?;
        let set = self.list(Self::assignment)?;
        Ok(OnConflict::Update { set, filter: self.filter()? })
    }

    fn assignment(&mut self) -> Parsed<(String, Expr)> {
        let column = self.name()?;
        self.need(&["="])?;
        Ok((column, self.expression()?))
    }

    fn filter(&mut self) -> Parsed<Option<Expr>> {
        if self.word("where") { self.expression().map(Some) } else { Ok(None) }
    }

    fn select(&mut self) -> Parsed<Select> {
        self.need(&["select"])?;
        let mut select = Select { items: self.list(Self::item)?, ..Select::default() };
        if self.word("from") {
            select.from = self.list(Self::source)?;
        }
        select.filter = self.filter()?;
        if self.word("group") {
            self.need(&["by"])?;
            select.group = self.list(Self::expression)?;
        }
        if self.word("order") {
            self.need(&["by"])?;
            select.order = self.list(|parser| Ok((parser.expression()?, parser.word("desc"))))?;
        }
        if self.word("limit") {
            select.limit = Some(self.expression()?);
        }
        if self.word("for") {
            self.need(&["update"])?;
            select.locks = true;
        }
        Ok(select)
    }

    fn item(&mut self) -> Parsed<(Expr, String)> {
        let value = self.expression()?;
        let name = if self.word("as") {
            self.name()?
        } else {
            match &value {
                Expr::Column(_, name) => name.clone(),
                _ => "column".to_owned(),
            }
        };
        Ok((value, name))
    }

    fn source(&mut self) -> Parsed<Source> {
        if self.sign("(") {
            let query = Box::new(self.select()?);
            self.need(&[")", "as"])?;
            return Ok(Source::Query { query, alias: self.name()? });
        }
        let name = self.name()?;
        if !matches!(self.peek(0), Some(Token::Sign("("))) {
            let alias = self.alias(&name)?;
            return Ok(Source::Table { name, alias });
        }
        let arguments = self.in_brackets(|parser| parser.list(Self::expression))?;
        let numbered = self.word("with") && self.word("ordinality");
        let alias = self.alias(&name)?;
        let columns = if matches!(self.peek(0), Some(Token::Sign("("))) {
            let column = |parser: &mut Self| {
                let name = parser.name()?;
                let is_last = matches!(parser.peek(0), Some(Token::Sign(_)));
                Ok((name, if is_last { None } else { Some(parser.type_name()?) }))
            };
            self.in_brackets(|parser| parser.list(column))?
        } else {
            vec![(alias.clone(), None)]
        };
        Ok(Source::Function { name, arguments, alias, columns, numbered })
    }

    fn alias(&mut self, name: &str) -> Parsed<String> {
        if self.word("as") {
            return self.name();
        }
        match self.peek(0) {
            Some(Token::Word(word)) if !RESERVED.contains(&word.as_str()) => self.name(),
            _ => Ok(name.to_owned()),
        }
    }

    fn type_name(&mut self) -> Parsed<Type> {
        let name = self.name()?;
        Type::named(&name).ok_or_else(|| format!("unknown type {name}"))
    }

    fn expression(&mut self) -> Parsed<Expr> {
        self.binary(0)
    }

    /// Operators by how strongly they bind.
    fn binary(&mut self, level: usize) -> Parsed<Expr> {
        const LEVELS: [&[&str]; 6] =
            [&["or"], &["and"], &["=", "<>", "<=", ">=", "<", ">"], &["||"], &["+", "-"], &["*", "/"]];
        let Some(operators) = LEVELS.get(level) else { return self.cast() };
        if level == 2 && self.word("not") {
            return Ok(Expr::Not(Box::new(self.binary(2)?)));
        }
        let mut left = self.binary(level + 1)?;
        loop {
            if level == 2 && self.word("is") {
                let negated = self.word("not");
                self.need(&["null"])?;
                let is_null = Expr::IsNull(Box::new(left));
                left = if negated { Expr::Not(Box::new(is_null)) } else { is_null };
                continue;
            }
            if level == 2 && self.word("in") {
                let among = self.in_brackets(|parser| {
                    if parser.is_word(0, "select") {
                        Ok(vec![Expr::Array(Box::new(parser.select()?))])
                    } else {
                        parser.list(Self::expression)
                    }
                })?;
                left = Expr::In(Box::new(left), among);
                continue;
            }
            let Some(operator) = operators.iter().find(|operator| self.word(operator) || self.sign(operator))
            else {
                return Ok(left);
            };
            if *operator == "=" && self.word("any") {
                let among = self.in_brackets(Self::expression)?;
                left = Expr::In(Box::new(left), vec![among]);
                continue;
            }
            left = Expr::Binary(operator, Box::new(left), Box::new(self.binary(level + 1)?));
        }
    }

    fn cast(&mut self) -> Parsed<Expr> {
        let mut value = self.primary()?;
        loop {
            if self.sign("::") {
                value = Expr::Cast(Box::new(value), self.type_name()?);
            } else if self.sign("->>") {
                let field = self.primary()?;
                value = Expr::Call("field".to_owned(), vec![value, field]);
            } else {
                return Ok(value);
            }
        }
    }

    fn primary(&mut self) -> Parsed<Expr> {
        let Some(token) = self.peek(0).cloned() else { return Err(self.unexpected("an expression")) };
        self.at += 1;
        Ok(match token {
            Token::Text(text) => Expr::Value(Value::text(&text)),
            Token::Int(number) => Expr::Value(Value::Int(number)),
            Token::Float(number) => Expr::Value(Value::Float(number)),
            Token::Place(place) => Expr::Place(place - 1),
            Token::Sign("*") => Expr::Value(Value::Int(1)),
            Token::Sign("(") => {
                let inner = if self.is_word(0, "select") {
                    Expr::Scalar(Box::new(self.select()?))
                } else {
                    self.expression()?
                };
                self.need(&[")"])?;
                inner
            }
            Token::Word(word) => self.named(&word)?,
            Token::Sign(_) => {
                self.at -= 1;
                return Err(self.unexpected("an expression"));
            }
        })
    }

    /// What begins with a word.
    fn named(&mut self, word: &str) -> Parsed<Expr> {
        match word {
            "null" => return Ok(Expr::Value(Value::Null)),
            "true" => return Ok(Expr::Value(Value::Bool(true))),
            "cast" => {
                return self.in_brackets(|parser| {
                    let value = parser.expression()?;
                    parser.need(&["as"])?;
                    Ok(Expr::Cast(Box::new(value), parser.type_name()?))
                });
            }
            "array" => return self.in_brackets(|parser| Ok(Expr::Array(Box::new(parser.select()?)))),
            "interval" => {
                let text = self.primary()?;
                return Ok(Expr::Call("interval".to_owned(), vec![text]));
            }
            "extract" => {
                return self.in_brackets(|parser| {
                    parser.need(&["epoch", "from"])?;
                    Ok(Expr::Call("epoch".to_owned(), vec![parser.expression()?]))
                });
            }
            _ => {}
        }
        if self.sign("(") {
            let mut arguments = Vec::new();
            if !self.sign(")") {
                // A named argument: there is one function that has it.
                if self.is_word(0, "secs") {
                    self.at += 1;
                    self.need(&["=", ">"])?;
                }
                arguments = self.list(Self::expression)?;
                self.need(&[")"])?;
            }
            return Ok(Expr::Call(word.to_owned(), arguments));
        }
        if self.sign(".") {
            return Ok(Expr::Column(Some(word.to_owned()), self.name()?));
        }
        Ok(Expr::Column(None, word.to_owned()))
    }
}
