//! Random schemas and bytes from a seed, so that a failure can be repeated.
#![expect(dead_code, reason = "each test file uses a part")]

use pagecast::Schema;
use pagecast::schema::{Field, FieldType};

/// xorshift64*
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    pub fn bytes(&mut self, byte_length: usize) -> Vec<u8> {
        (0..byte_length).map(|_| self.below(256) as u8).collect()
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for index in (1..items.len()).rev() {
            items.swap(index, self.below(index + 1));
        }
    }

    pub fn schema(&mut self, depth: usize) -> Schema {
        let count = 1 + self.below(5);
        lay_out((0..count).map(|index| (format!("f{index}"), self.field_type(depth))).collect())
    }

    fn field_type(&mut self, depth: usize) -> FieldType {
        use FieldType::*;
        match self.below(if depth == 0 { 7 } else { 9 }) {
            0 => U8,
            1 => I16,
            2 => F32,
            3 => U64,
            4 => Bool,
            5 => Text(1 + self.below(9)),
            6 => Bytes(1 + self.below(9)),
            7 => Array(Box::new(self.field_type(depth - 1)), 1 + self.below(4)),
            _ => Struct(Box::new(self.schema(depth - 1))),
        }
    }

    /// The same fields as another program might declare them: in another order, with others in between.
    pub fn variant(&mut self, schema: &Schema) -> Schema {
        let mut fields: Vec<_> = schema.fields.iter().map(|field| (field.name.clone(), self.type_variant(&field.ty))).collect();
        for index in 0..self.below(3) {
            fields.push((format!("extra{index}"), self.field_type(1)));
        }
        if self.below(2) == 0 {
            self.shuffle(&mut fields);
        }
        lay_out(fields)
    }

    fn type_variant(&mut self, ty: &FieldType) -> FieldType {
        match ty {
            FieldType::Array(element, length) => FieldType::Array(Box::new(self.type_variant(element)), *length),
            FieldType::Struct(schema) => FieldType::Struct(Box::new(self.variant(schema))),
            other => other.clone(),
        }
    }
}

/// The C layout of fields declared in this order.
pub fn lay_out(fields: Vec<(String, FieldType)>) -> Schema {
    let (mut end, mut alignment) = (0_usize, 1);
    let place = |(name, ty): (String, FieldType)| {
        alignment = alignment.max(ty.alignment());
        let byte_offset = end.next_multiple_of(ty.alignment());
        end = byte_offset + ty.byte_length();
        Field { name, ty, byte_offset, meta: Vec::new() }
    };
    let fields = fields.into_iter().map(place).collect();
    Schema { byte_length: end.next_multiple_of(alignment), alignment, fields }
}
