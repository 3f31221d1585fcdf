//! Rows as the CRMs send them.

use super::{mapping, read, read_in};
use jiff::tz::offset;

#[test]
fn hubspot_has_texts_only() {
    let map = mapping(
        r#"{"name":{"join":{"paths":["firstname","lastname"]}},"email":{"from":"email","clean":["trim","lower"]},"phone":"phone",
            "company":"company","status":{"from":"hs_lead_status","values":{"NEW":"new","OPEN":"open"}},
            "score":{"from":"hubspotscore","as":"number","to":"text"},"tags":{"from":"topics","list":";"},
            "vip":{"from":"vip","as":"boolean","to":"text"},
            "created_at":{"from":"createdate","as":"time","read_only":true}}"#,
    );
    let row = r#"{"createdate":"2026-11-20T08:15:30.123Z","email":"Ada@Example.com ","firstname":"Ada","hs_lead_status":"NEW","hs_object_id":"512","hubspotscore":"42.50","lastmodifieddate":"2026-11-23T09:00:00.001Z","lastname":"Lovelace","phone":null,"topics":"Math;Poetry","vip":"true"}"#;
    let neutral = read(&map, row);
    assert_eq!(
        neutral,
        r#"{"name":"Ada Lovelace","email":"ada@example.com","phone":null,"company":null,"status":"new","score":42.50,"tags":["Math","Poetry"],"vip":true,"created_at":"2026-11-20T08:15:30.123Z"}"#
    );
    assert_eq!(
        map.write(&neutral).unwrap(),
        r#"{"company":null,"email":"ada@example.com","firstname":"Ada","hs_lead_status":"NEW","hubspotscore":"42.50","lastname":"Lovelace","phone":null,"topics":"Math;Poetry","vip":"true"}"#
    );
    assert_eq!(
        map.sources(),
        [
            "firstname",
            "lastname",
            "email",
            "phone",
            "company",
            "hs_lead_status",
            "hubspotscore",
            "topics",
            "vip",
            "createdate"
        ]
    );
}

#[test]
fn salesforce_has_offsets_without_a_colon_and_related_records() {
    let map = mapping(
        r#"{"name":{"join":{"paths":["FirstName","LastName"]}},"email":"Email","company":"Company",
            "status":{"from":"Status","values":{"Open - Not Contacted":"new","Working - Contacted":"open"}},
            "score":"Score__c","owner":{"from":["Owner","Name"],"read_only":true},
            "created_at":{"from":"CreatedDate","as":"time","read_only":true}}"#,
    );
    let row = r#"{"attributes":{"type":"Lead","url":"/services/data/v62.0/sobjects/Lead/00QAbC000001aAAA"},"Id":"00QAbC000001aAAA","FirstName":null,"LastName":"Łukasiewicz","Email":"jan@example.pl","Company":"Logika","Status":"Open - Not Contacted","Score__c":9007199254740993,"Owner":{"attributes":{"type":"User"},"Name":"Grace Hopper"},"CreatedDate":"2026-11-01T00:00:00.000+0000"}"#;
    let neutral = read(&map, row);
    assert_eq!(
        neutral,
        r#"{"name":"Łukasiewicz","email":"jan@example.pl","company":"Logika","status":"new","score":9007199254740993,"owner":"Grace Hopper","created_at":"2026-11-01T00:00:00Z"}"#
    );
    assert_eq!(
        map.write(&neutral).unwrap(),
        r#"{"Company":"Logika","Email":"jan@example.pl","FirstName":null,"LastName":"Łukasiewicz","Score__c":9007199254740993,"Status":"Open - Not Contacted"}"#
    );
}

#[test]
fn pipedrive_has_lists_and_nested_custom_fields() {
    let hash = "dcf558aac1ae4e8c4f849ba5e668430d8df9be12";
    let map = mapping(&format!(
        r#"{{"name":"name","email":{{"from":"emails","pick":{{"prefer":{{"path":"primary","equals":true}},"value":"value","with":{{"label":"work"}}}}}},
            "phone":{{"from":"phones","pick":{{"prefer":{{"path":"primary","equals":true}},"value":"value","with":{{"label":"work"}}}}}},
            "score":["custom_fields","{hash}"],"created_at":{{"from":"add_time","as":"time","read_only":true}}}}"#
    ));
    let row = format!(
        r#"{{"id":3,"name":"Ada Lovelace","emails":[{{"label":"home","value":"old@example.com","primary":false}},{{"label":"work","value":"ada@example.com","primary":true}}],"phones":[],"custom_fields":{{"{hash}":12.50,"other":null}},"add_time":"2026-11-20T08:15:30Z","update_time":"2026-11-23T09:00:00Z"}}"#
    );
    let neutral = read(&map, &row);
    assert_eq!(
        neutral,
        r#"{"name":"Ada Lovelace","email":"ada@example.com","phone":null,"score":12.50,"created_at":"2026-11-20T08:15:30Z"}"#
    );
    assert_eq!(
        map.write(&neutral).unwrap(),
        format!(
            r#"{{"custom_fields":{{"{hash}":12.50}},"emails":[{{"label":"work","primary":true,"value":"ada@example.com"}}],"name":"Ada Lovelace","phones":[]}}"#
        )
    );
    assert_eq!(map.sources(), ["name", "emails", "phones", "custom_fields", "add_time"]);
}

#[test]
fn zoho_has_the_organisations_offset_and_ids_beyond_doubles() {
    let map = mapping(
        r#"{"name":{"join":{"paths":["First_Name","Last_Name"]}},"status":{"from":"Lead_Status","values":{"-None-":null,"Not Contacted":"new"}},
            "owner":["Owner","id"],"created_at":{"from":"Created_Time","as":"time","read_only":true},
            "tags":{"from":["Tag",0,"name"],"read_only":true}}"#,
    );
    let row = r#"{"Owner":{"name":"Grace","id":"4876876000000333001","email":"g@example.com"},"First_Name":"Ada","Last_Name":"Lovelace","Lead_Status":"-None-","Created_Time":"2026-11-20T13:45:30+05:30","Tag":[{"name":"vip","id":"4876876000000900001"}],"id":"4876876000000411222"}"#;
    let neutral = read(&map, row);
    assert_eq!(
        neutral,
        r#"{"name":"Ada Lovelace","status":null,"owner":"4876876000000333001","created_at":"2026-11-20T08:15:30Z","tags":"vip"}"#
    );
    assert_eq!(
        map.write(&neutral).unwrap(),
        r#"{"First_Name":"Ada","Last_Name":"Lovelace","Lead_Status":"-None-","Owner":{"id":"4876876000000333001"}}"#
    );
}

#[test]
fn odoo_has_false_for_null_and_pairs_for_relations() {
    let map = mapping(
        r#"{"false_is_null":true,"name":"contact_name","email":"email_from","phone":"phone","company":"partner_name",
            "status":{"from":"stage_id","many2one":"id","values":[[1,"new"],[4,"won"]]},
            "owner":{"from":"user_id","many2one":"name","read_only":true},"active":{"from":"active","as":"boolean"},
            "created_at":{"from":"create_date","as":"time","read_only":true}}"#,
    );
    let row = r#"{"id":7,"contact_name":"Ada Lovelace","email_from":false,"phone":"+44 20 7946 0000","partner_name":false,"stage_id":[4,"Won"],"user_id":false,"active":false,"create_date":"2026-11-20 08:15:30"}"#;
    let neutral = read(&map, row);
    assert_eq!(
        neutral,
        r#"{"name":"Ada Lovelace","email":null,"phone":"+44 20 7946 0000","company":null,"status":"won","owner":null,"active":false,"created_at":"2026-11-20T08:15:30Z"}"#
    );
    assert_eq!(
        map.write(&neutral).unwrap(),
        r#"{"active":false,"contact_name":"Ada Lovelace","email_from":false,"partner_name":false,"phone":"+44 20 7946 0000","stage_id":4}"#
    );
}

#[test]
fn espocrm_has_plain_members_and_naive_times_in_utc() {
    let map = mapping(
        r#"{"name":{"from":"name","read_only":true},"email":"emailAddress","phone":"phoneNumber","company":"accountName","notes":{"from":"description","as":"text"},
            "created_at":{"from":"createdAt","as":"time","read_only":true}}"#,
    );
    let row = r#"{"id":"5f3a1b2c3d4e5f6a7","name":"Ada Lovelace","emailAddress":"ada@example.com","phoneNumber":null,"accountName":"Engines","description":"Line\nbreak","createdAt":"2026-11-20 08:15:30"}"#;
    let neutral = read(&map, row);
    assert_eq!(
        neutral,
        r#"{"name":"Ada Lovelace","email":"ada@example.com","phone":null,"company":"Engines","notes":"Line\nbreak","created_at":"2026-11-20T08:15:30Z"}"#
    );
    assert_eq!(
        map.write(&neutral).unwrap(),
        r#"{"accountName":"Engines","description":"Line\nbreak","emailAddress":"ada@example.com","phoneNumber":null}"#
    );
}

#[test]
fn suitecrm_has_digits_for_booleans_and_the_servers_offset() {
    let map = mapping(
        r#"{"name":{"join":{"paths":["first_name","last_name"]}},"email":"email1","phone":"phone_work",
            "silent":{"from":"do_not_call","as":"boolean","values":[["1",true],["0",false]]},
            "created_at":{"from":"date_entered","as":"time","read_only":true}}"#,
    );
    let row = r#"{"first_name":"Ada","last_name":"Lovelace","full_name":"Ada Lovelace","email1":"ada@example.com","phone_work":"","do_not_call":"0","date_entered":"2026-11-20T10:15:30+02:00"}"#;
    let neutral = read(&map, row);
    assert_eq!(
        neutral,
        r#"{"name":"Ada Lovelace","email":"ada@example.com","phone":"","silent":false,"created_at":"2026-11-20T08:15:30Z"}"#
    );
    assert_eq!(
        map.write(&neutral).unwrap(),
        r#"{"do_not_call":"0","email1":"ada@example.com","first_name":"Ada","last_name":"Lovelace","phone_work":""}"#
    );
}

#[test]
fn dolibarr_has_epochs_as_text_or_number_and_digits_for_states() {
    let map = mapping(
        r#"{"name":{"join":{"paths":["firstname","lastname"]}},"email":"email","phone":"phone_pro",
            "status":{"from":"statut","values":[["1","active"],["0","closed"]]},
            "vat":["array_options","options_vat"],"created_at":{"from":"date_creation","as":"time","read_only":true},
            "birthday":{"from":"birthday","as":"time","to":"naive"}}"#,
    );
    for created in ["1795485600", r#""1795485600""#] {
        let row = format!(
            r#"{{"id":"12","firstname":"Ada","lastname":"Lovelace","email":"ada@example.com","phone_pro":null,"statut":1,"array_options":{{"options_vat":"GB1"}},"date_creation":{created},"birthday":"2026-12-10 01:00:00"}}"#
        );
        let neutral = read_in(&map, &row, Some(&offset(1).to_time_zone()));
        assert_eq!(
            neutral,
            r#"{"name":"Ada Lovelace","email":"ada@example.com","phone":null,"status":"active","vat":"GB1","created_at":"2026-11-24T02:00:00Z","birthday":"2026-12-10T00:00:00Z"}"#
        );
        assert_eq!(
            map.write_in(&neutral, Some(&offset(1).to_time_zone())).unwrap(),
            r#"{"array_options":{"options_vat":"GB1"},"birthday":"2026-12-10 01:00:00","email":"ada@example.com","firstname":"Ada","lastname":"Lovelace","phone_pro":null,"statut":"1"}"#
        );
    }
}
