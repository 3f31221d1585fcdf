//! Where fields are: paths, joined texts, what passes, what a tenant changes, and what is refused.

use super::{mapping, read, wrong};
use tenant_crm_sync::crm::mapping::Mapping;

#[test]
fn order_is_fixed_and_what_is_absent_is_null() {
    let map = mapping(r#"{"b":"B","a":["x","A"],"c":"C"}"#);
    assert_eq!(read(&map, r#"{"C":3,"x":{"A":1},"B":2}"#), r#"{"b":2,"a":1,"c":3}"#);
    assert_eq!(read(&map, r#"{"C":3}"#), r#"{"b":null,"a":null,"c":3}"#);
    assert_eq!(map.sources(), ["B", "x", "C"]);
    assert_eq!(map.names().collect::<Vec<_>>(), ["b", "a", "c"]);
}

#[test]
fn of_members_with_one_name_the_last_counts() {
    let map = mapping(r#"{"a":"a","deep":["o","x"],"more":["o","y"]}"#);
    assert_eq!(
        read(&map, r#"{"a":1,"o":{"x":1,"y":1},"a":2,"o":{"x":3}}"#),
        r#"{"a":2,"deep":3,"more":null}"#
    );
    assert_eq!(map.write(r#"{"a":1,"a":2}"#).unwrap(), r#"{"a":2}"#);
}

#[test]
fn paths_nest_and_whole_objects_can_be_taken_beside_their_parts() {
    let map = mapping(
        r#"{"all":{"from":"o","read_only":true},"x":["o","x"],"y":["o","in","y"],"second":{"from":["l",1,"v"],"read_only":true}}"#,
    );
    assert_eq!(
        read(&map, r#"{"o":{"x":1,"in":{"y":[2]}},"l":[{"v":1},{"v":2}]}"#),
        r#"{"all":{"x":1,"in":{"y":[2]}},"x":1,"y":[2],"second":2}"#
    );
    assert_eq!(map.sources(), ["o", "l"]);
    assert_eq!(
        map.write(r#"{"all":{},"x":1,"y":2,"second":3}"#).unwrap(),
        r#"{"o":{"in":{"y":2},"x":1}}"#
    );
    // The CRM's own name for the object beside mapped parts of it.
    assert_eq!(
        map.write(r#"{"x":1,"o":{"z":1.0}}"#).unwrap(),
        r#"{"o":{"x":1,"z":1.0}}"#
    );
    assert_eq!(
        map.write(r#"{"x":1,"o":{"x":2}}"#).unwrap_err(),
        r#"field "o": the CRM's field "o" is given twice, with different values"#
    );
}

#[test]
fn names_are_joined_and_split_at_the_last_blank() {
    let map = mapping(r#"{"name":{"join":{"paths":["First","Last"]}}}"#);
    for (first, last, name) in [
        (r#""Ada""#, r#""Lovelace""#, r#""Ada Lovelace""#),
        (r#""Ada Maria""#, r#""Lovelace""#, r#""Ada Maria Lovelace""#),
        ("null", r#""Lovelace""#, r#""Lovelace""#),
        ("null", "null", "null"),
    ] {
        let row = format!(r#"{{"First":{first},"Last":{last}}}"#);
        let neutral = read(&map, &row);
        assert_eq!(neutral, format!(r#"{{"name":{name}}}"#));
        assert_eq!(map.write(&neutral).unwrap(), row);
    }
    assert_eq!(read(&map, r#"{"First":" Ada ","Last":""}"#), r#"{"name":"Ada"}"#);
    assert_eq!(
        map.write(r#"{"name":"  Ada  Lovelace "}"#).unwrap(),
        r#"{"First":"Ada","Last":"Lovelace"}"#
    );
    assert_eq!(map.write(r#"{"name":""}"#).unwrap(), r#"{"First":null,"Last":null}"#);
    assert_eq!(
        map.write(r#"{"name":{}}"#).unwrap_err(),
        r#"field "name": it is not a text"#
    );
    let three = mapping(r#"{"name":{"join":{"paths":["a","b",["c","d"]],"with":", "}}}"#);
    assert_eq!(
        three.write(r#"{"name":"1, 2, 3, 4"}"#).unwrap(),
        r#"{"a":"1, 2","b":"3","c":{"d":"4"}}"#
    );
    assert_eq!(
        three.write(r#"{"name":"1, 2"}"#).unwrap(),
        r#"{"a":null,"b":"1","c":{"d":"2"}}"#
    );
}

#[test]
fn what_is_not_mapped_passes_and_what_is_not_the_portals_stays_here() {
    let map = mapping(r#"{"email":"Email","owner":{"from":"OwnerId","read_only":true}}"#);
    assert_eq!(
        map.write(r#"{"id":"1","updated_at":"x","email":"a@b.c","owner":"7","Score__c":1.50,"b":{"c":[1E2]}}"#)
            .unwrap(),
        r#"{"Email":"a@b.c","Score__c":1.50,"b":{"c":[1E2]}}"#
    );
    assert_eq!(map.write("{}").unwrap(), "{}");
    assert_eq!(map.write(r#"{"email":"a","Email":"a"}"#).unwrap(), r#"{"Email":"a"}"#);
    assert_eq!(
        map.write(r#"{"email":"a","Email":"b"}"#).unwrap_err(),
        r#"field "Email": the CRM's field "Email" is given twice, with different values"#
    );
}

#[test]
fn a_tenant_replaces_adds_and_removes() {
    let connector = mapping(r#"{"false_is_null":true,"email":"Email","phone":"Phone","name":"Name"}"#);
    let tenant = mapping(r#"{"score":"Score","phone":{"from":"Mobile"},"email":null,"unknown":null}"#);
    let both = Mapping::merged(&connector, &tenant);
    assert_eq!(
        read(&both, r#"{"Email":1,"Phone":2,"Name":3,"Mobile":4,"Score":false}"#),
        r#"{"phone":4,"name":3,"score":null}"#
    );
    assert_eq!(both.sources(), ["Mobile", "Name", "Score"]);
    let unlike = Mapping::merged(&connector, &mapping(r#"{"false_is_null":false}"#));
    assert_eq!(
        read(&unlike, r#"{"Email":false}"#),
        r#"{"email":false,"phone":null,"name":null}"#
    );
    assert_eq!(
        read(&Mapping::merged(&Mapping::default(), &connector), r#"{"Name":1}"#),
        r#"{"email":null,"phone":null,"name":1}"#
    );
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    for (text, reason) in [
        (
            "[]",
            "field mapping: invalid type: sequence, expected an object of fields by their neutral names",
        ),
        (
            r#"{"x":7}"#,
            r#"field "x": invalid type: integer `7`, expected a field's name, a list of steps to it"#,
        ),
        (r#"{"x":{}}"#, r#"field "x": give either "from" or "join""#),
        (
            r#"{"x":{"from":"a","join":{"paths":["b","c"]}}}"#,
            r#"field "x": give either "from" or "join""#,
        ),
        (
            r#"{"x":{"from":"a","form":1}}"#,
            r#"field "x": unknown field `form`, expected one of `from`"#,
        ),
        (
            r#"{"x":{"from":["a","b"],"join":" "}}"#,
            r#"field "x": invalid type: string " ", expected {"paths": [PATH, PATH]"#,
        ),
        (
            r#"{"x":{"join":{"paths":["a"]}}}"#,
            r#"field "x": join: name at least two paths"#,
        ),
        (
            r#"{"x":{"join":{"paths":["a","b"],"with":""}}}"#,
            r#"field "x": join: "with" is empty"#,
        ),
        (
            r#"{"x":{"join":{"paths":["a","b"]},"list":","}}"#,
            r#"field "x": join makes one text of several"#,
        ),
        (
            r#"{"x":{"from":"a","as":"date"}}"#,
            r#"field "x": unknown variant `date`, expected one of `text`"#,
        ),
        (
            r#"{"x":{"from":"a","to":"naive"}}"#,
            r#"field "x": only a time is written in this form"#,
        ),
        (
            r#"{"x":{"from":"a","as":"time","to":"text"}}"#,
            r#"field "x": a time is written as rfc3339"#,
        ),
        (
            r#"{"x":{"from":"a","list":""}}"#,
            r#"field "x": list: the separator is empty"#,
        ),
        (
            r#"{"x":{"from":"a","list":",","many2one":"id"}}"#,
            r#"field "x": give only one of pick, many2one and list"#,
        ),
        (
            r#"{"x":{"from":"a","many2one":"name"}}"#,
            r#"field "x": a relation is written by its id"#,
        ),
        (r#"{"x":["a",0]}"#, r#"field "x": the path "a.0" goes through a list"#),
        (
            r#"{"x":[]}"#,
            r#"field "x": the path "" does not start with a field's name"#,
        ),
        (
            r#"{"x":[0,"a"]}"#,
            r#"field "x": the path "0.a" does not start with a field's name"#,
        ),
        (
            r#"{"x":["1","2","3","4","5","6","7","8","9","a","b","c","d","e","f","g","h"]}"#,
            r#"field "x": a path has more than 16 steps"#,
        ),
        (
            r#"{"x":{"from":"a","pick":{"prefer":{"path":"p","equals":1}}}}"#,
            r#"field "x": pick: "value" is missing"#,
        ),
        (
            r#"{"x":{"from":"a","pick":{"value":"v","prefer":{"path":"p","equals":[1]}}}}"#,
            r#"field "x": pick: "equals" is a text"#,
        ),
        (
            r#"{"x":{"from":"a","values":{"a":[1]}}}"#,
            r#"field "x": values: "a" and [1] are to be texts"#,
        ),
        (
            r#"{"x":{"from":"a","values":[[1,2],["1",3]]}}"#,
            r#"field "x": values: "1" is there twice"#,
        ),
        (
            r#"{"x":{"from":"a","values":{"a":1,"b":1}}}"#,
            r#"field "x": values: several are 1, so none can be written back"#,
        ),
        (r#"{"x":"a","x":"b"}"#, r#"field "x": it is declared twice"#),
        (
            r#"{"id":"Id"}"#,
            r#"field "id": the connector's object says where it is"#,
        ),
        (
            r#"{"updated_at":null}"#,
            r#"field "updated_at": the connector's object says where it is"#,
        ),
        (r#"{"":"a"}"#, r#"field "": a name has 1 to 128 bytes"#),
        (
            r#"{"false_is_null":"yes"}"#,
            r#"field "false_is_null": invalid type: string "yes", expected a boolean"#,
        ),
        ("{", "field mapping: EOF"),
    ] {
        let error = wrong(text);
        assert!(error.contains(reason), "{text}\n{error}");
    }
    let deep = format!(r#"{{"x":{}1{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert!(wrong(&deep).contains("recursion limit"));
}
