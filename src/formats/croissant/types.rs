//! The types that the values of a field can have.

/// Types that a program can read a value as, by our short names.
const DATA_TYPES: &[&str] = &[
    "schema:AudioObject",
    "schema:Boolean",
    "schema:Date",
    "schema:DateTime",
    "schema:Float",
    "schema:ImageObject",
    "schema:Integer",
    "schema:Text",
    "schema:Time",
    "schema:URL",
    "schema:VideoObject",
    "cr:BoundingBox",
    "cr:Float16",
    "cr:Float32",
    "cr:Float64",
    "cr:Int8",
    "cr:Int16",
    "cr:Int32",
    "cr:Int64",
    "cr:UInt8",
    "cr:UInt16",
    "cr:UInt32",
    "cr:UInt64",
];

/// Whether a type says how a value is read, and not only what it means.
pub(super) fn is_data_type(short: &str) -> bool {
    DATA_TYPES.contains(&short)
}

/// A type as a record spells it: `sc:Text`, `cr:Int64`.
pub(super) fn spelled(short: &str) -> String {
    short.strip_prefix("schema:").map_or_else(|| short.to_owned(), |name| format!("sc:{name}"))
}

/// The type that a record's spelling means, by our short name; nothing where Croissant has no such type. The names that
/// databases and data frames use are understood too.
pub(super) fn meant(spelling: &str) -> Option<&'static str> {
    let short = crate::formats::linked::short(spelling);
    let short = short.strip_prefix("sc:").map_or(short.clone(), |name| format!("schema:{name}"));
    if let Some(known) = DATA_TYPES.iter().find(|known| **known == short) {
        return Some(known);
    }
    Some(match spelling.to_ascii_lowercase().as_str() {
        "string" | "str" | "text" | "varchar" | "large_string" => "schema:Text",
        "int" | "integer" | "bigint" => "schema:Integer",
        "int8" => "cr:Int8",
        "int16" => "cr:Int16",
        "int32" => "cr:Int32",
        "int64" => "cr:Int64",
        "uint8" => "cr:UInt8",
        "uint16" => "cr:UInt16",
        "uint32" => "cr:UInt32",
        "uint64" => "cr:UInt64",
        "float" | "double" | "number" => "schema:Float",
        "float16" => "cr:Float16",
        "float32" => "cr:Float32",
        "float64" => "cr:Float64",
        "bool" | "boolean" => "schema:Boolean",
        "date" => "schema:Date",
        "datetime" | "timestamp" => "schema:DateTime",
        _ => return None,
    })
}
