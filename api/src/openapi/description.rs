//! How one operation is described: what the table of operations does not say of it.

use http::StatusCode;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;
use service::problem::Code;

use super::texts::{AnyId, HeaderText, IdempotencyKey, Limit, Moment};

/// Makes the schema of a type, and lists what it refers to.
pub(super) type Make = fn(&mut SchemaGenerator) -> Schema;

/// What belongs together in the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    Users,
    Credits,
    Checkout,
    Cases,
    Events,
    Payments,
    Catalogue,
    Stripe,
    Service,
}

/// A parameter in the query or a header.
pub(super) struct Parameter {
    pub(super) place: &'static str,
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) is_required: bool,
    pub(super) schema: Make,
}

/// The body of a request.
pub(super) struct RequestBody {
    pub(super) schema: Make,
    pub(super) is_required: bool,
    pub(super) example: Value,
}

/// What is answered when it was done.
pub(super) struct Success {
    pub(super) status: StatusCode,
    pub(super) description: &'static str,
    pub(super) media_types: &'static [&'static str],
    pub(super) schema: Option<Make>,
    pub(super) headers: Vec<(&'static str, &'static str)>,
    /// Whether a client that has it already is told so: 304.
    pub(super) may_be_known: bool,
}

/// What can be asked next with what was answered: an operation, the variable of its path, and where its value stands.
pub(super) struct Link {
    pub(super) operation_id: &'static str,
    pub(super) variable: &'static str,
    pub(super) value: &'static str,
}

/// The description of one operation.
pub(super) struct Description {
    pub(super) tag: Tag,
    pub(super) summary: &'static str,
    pub(super) text: &'static str,
    /// What the variable of its path is like, with an example.
    pub(super) variable: Option<(Make, &'static str)>,
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<RequestBody>,
    pub(super) success: Success,
    pub(super) refusals: Vec<Code>,
    pub(super) links: Vec<Link>,
}

impl Tag {
    pub(super) const ALL: [Self; 9] = [
        Self::Users,
        Self::Credits,
        Self::Checkout,
        Self::Cases,
        Self::Events,
        Self::Payments,
        Self::Catalogue,
        Self::Stripe,
        Self::Service,
    ];

    /// Its name, and what it is about.
    pub(super) const fn row(self) -> (&'static str, &'static str) {
        match self {
            Self::Users => ("Users", "The directory, and what each user has."),
            Self::Credits => ("Credits", "Spending, holding, giving, and giving back."),
            Self::Checkout => {
                ("Checkout", "What a checkout is started with, and what became of it.")
            }
            Self::Cases => {
                ("Cases", "What waits for a fact or a person, and what staff do about it.")
            }
            Self::Events => ("Events", "Everything that was told, and what was decided of it."),
            Self::Payments => ("Payments", "What was paid, whose it is, and why."),
            Self::Catalogue => ("Catalogue", "What a price is worth."),
            Self::Stripe => ("Stripe", "Where Stripe delivers."),
            Self::Service => ("Service", "What the service says of itself."),
        }
    }
}

impl Description {
    /// One that answers 200 with JSON of `T`'s shape.
    pub(super) fn new<T: JsonSchema>(tag: Tag, summary: &'static str, text: &'static str) -> Self {
        let success = Success {
            status: StatusCode::OK,
            description: "Done.",
            media_types: &["application/json"],
            schema: Some(SchemaGenerator::subschema_for::<T>),
            headers: Vec::new(),
            may_be_known: false,
        };
        Self {
            tag,
            summary,
            text,
            variable: None,
            parameters: Vec::new(),
            body: None,
            success,
            refusals: Vec::new(),
            links: Vec::new(),
        }
    }

    /// Says what the variable of the path is like.
    pub(super) fn at<T: JsonSchema>(self, example: &'static str) -> Self {
        Self { variable: Some((SchemaGenerator::subschema_for::<T>, example)), ..self }
    }

    /// Adds a parameter of the query, which may be left out.
    pub(super) fn query<T: JsonSchema>(
        mut self,
        name: &'static str,
        description: &'static str,
    ) -> Self {
        let schema = SchemaGenerator::subschema_for::<T>;
        let parameter = Parameter { place: "query", name, description, is_required: false, schema };
        self.parameters.push(parameter);
        self
    }

    /// Adds a header that may be sent.
    pub(super) fn header<T: JsonSchema>(
        mut self,
        name: &'static str,
        description: &'static str,
    ) -> Self {
        let schema = SchemaGenerator::subschema_for::<T>;
        let parameter =
            Parameter { place: "header", name, description, is_required: false, schema };
        self.parameters.push(parameter);
        self
    }

    /// Adds what every list takes.
    pub(super) fn list(self) -> Self {
        self.query::<Limit>("limit", "Rows of the page.")
            .query::<AnyId>(
                "starting_after",
                "The page behind this row. Not together with ending_before.",
            )
            .query::<AnyId>(
                "ending_before",
                "The page before this row. Not together with starting_after.",
            )
    }

    /// Adds a span of time.
    pub(super) fn created(self) -> Self {
        self.query::<Moment>("created[gte]", "At this time or later.")
            .query::<Moment>("created[gt]", "Later than this.")
            .query::<Moment>("created[lt]", "Earlier than this.")
            .query::<Moment>("created[lte]", "At this time or earlier.")
    }

    /// Says what the body is like.
    pub(super) fn body<T: JsonSchema>(self, example: Value) -> Self {
        let schema = SchemaGenerator::subschema_for::<T>;
        Self { body: Some(RequestBody { schema, is_required: true, example }), ..self }
    }

    /// Says what the body is like, which may be left out.
    pub(super) fn optional_body<T: JsonSchema>(self, example: Value) -> Self {
        let schema = SchemaGenerator::subschema_for::<T>;
        Self { body: Some(RequestBody { schema, is_required: false, example }), ..self }
    }

    /// Makes it a command: it moves credits, or says what may, once under each key.
    pub(super) fn command(mut self) -> Self {
        self.parameters.push(Parameter {
            place: "header",
            name: "Idempotency-Key",
            description: "A new one for each request; the same one to repeat it.",
            is_required: true,
            schema: SchemaGenerator::subschema_for::<IdempotencyKey>,
        });
        self.success
            .headers
            .push(("Idempotent-Replayed", "true, if this answer was given before."));
        self.refuses(&[
            Code::IdempotencyKeyInvalid,
            Code::IdempotencyKeyReused,
            Code::IdempotencyKeyInFlight,
            Code::OutcomeUnknown,
        ])
    }

    /// Says that something is made: 201.
    pub(super) fn creates(mut self) -> Self {
        self.success.status = StatusCode::CREATED;
        self
    }

    /// Adds a header of the answer.
    pub(super) fn tells(mut self, name: &'static str, description: &'static str) -> Self {
        self.success.headers.push((name, description));
        self
    }

    /// Says that it has an `ETag`, and is not sent again to a client that has it.
    pub(super) fn tagged(mut self) -> Self {
        self.success.may_be_known = true;
        self.tells("ETag", "Which version of it this is.").header::<HeaderText>(
            "If-None-Match",
            "The ETag of the version that is known: 304 if it is still the newest.",
        )
    }

    /// Says what the answer is where it is not JSON of a shape.
    pub(super) fn answers(
        mut self,
        media_types: &'static [&'static str],
        schema: Option<Make>,
    ) -> Self {
        (self.success.media_types, self.success.schema) = (media_types, schema);
        self
    }

    /// Adds refusals beyond those that go with its shape.
    pub(super) fn refuses(mut self, codes: &[Code]) -> Self {
        self.refusals.extend(codes);
        self
    }

    /// Adds what can be asked next.
    pub(super) fn then(
        mut self,
        operation_id: &'static str,
        variable: &'static str,
        value: &'static str,
    ) -> Self {
        self.links.push(Link { operation_id, variable, value });
        self
    }
}
