// A tenant of another CRM: choosing the connector shows its fields, with and without scripts; the connection is tested and synced.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admin, control, ended, env, login, overview, picture, row, save, syncNow, takeScriptErrors, unique, visitor } from './lib.mjs';

const form = admin( 'admin.php?page=tenant-crm-sync-tenant' );

test( 'a tenant with an OAuth app: its fields, a test of the connection, its leads', async () => {
	const page = await visitor();
	await login( page );
	const id = unique( 'force' );
	await control( 'POST', '/tenants', {
		id,
		key: `key-of-${ id }`,
		dialect: 'salesforce',
		oauth: { client_id: `app-${ id }`, client_secret: 'the-right-word' },
	} );
	await control( 'POST', '/seed', { tenant: id, object: 'leads', count: 40, seed: 3 } );

	await page.goto( form );
	await page.fill( '#tcs-tenant_id', id );
	await Promise.all( [ page.waitForNavigation(), page.selectOption( '#tcs-connector', 'salesforce' ) ] );
	assert.equal( await page.inputValue( '#tcs-tenant_id' ), id, 'what was typed is kept' );
	assert.match( await page.locator( '.notice-info' ).innerText(), /fill in what Salesforce asks for/ );
	await Promise.all( [ page.waitForNavigation(), page.selectOption( '#tcs-auth', 'client_credentials' ) ] );
	assert.equal( await page.getAttribute( '#tcs-field_client_secret', 'type' ), 'password' );
	assert.equal( await page.locator( '#tcs-api_key' ).count(), 0, 'this way needs no key' );
	await picture( page, 'tenant-salesforce' );
	await page.fill( '#tcs-endpoint', env.crm );
	await page.fill( '#tcs-field_client_id', `app-${ id }` );
	await page.fill( '#tcs-field_client_secret', 'the-wrong-word' );
	await save( page );
	assert.match( await page.locator( '.tcs-tested.notice-error' ).innerText(), /invalid_client/ );
	await picture( page, 'tenant-tested' );
	await page.click( 'summary:has-text("The same as JSON")' );
	await page.fill( '#tcs-mapping', '{"leads": {"name": {"frm": "LastName"}}}' );
	await page.fill( '#tcs-field_client_secret', 'the-right-word' );
	await page.click( '#submit' );
	assert.match( await page.locator( '#tcs-mapping-error' ).innerText(), /unknown field .frm/ );
	assert.equal( await page.inputValue( '#tcs-field_client_secret' ), '' );
	await page.fill( '#tcs-mapping', '' );
	await page.fill( '#tcs-field_client_secret', 'the-right-word' );
	await save( page, '#tcs-save-test' );
	assert.match( await page.locator( '.tcs-tested.notice-success' ).innerText(), /answers/ );
	await page.click( '#tcs-test' );
	assert.match( await page.locator( '.tcs-tested.notice-success' ).innerText(), /answers/ );
	assert.ok( ! ( await page.content() ).includes( 'the-right-word' ) );

	await page.goto( overview );
	await syncNow( page, id );
	assert.equal( ( await ended( page, id, 'done' ) ).counts, '40 created' );
	assert.deepEqual( takeScriptErrors(), [] );
	await page.context().close();
} );

test( 'a tenant that a person must agree to is shown the button that leads there', async () => {
	const page = await visitor();
	await login( page );
	const id = unique( 'consent' );
	await page.goto( form );
	await page.fill( '#tcs-tenant_id', id );
	await Promise.all( [ page.waitForNavigation(), page.selectOption( '#tcs-connector', 'pipedrive' ) ] );
	await Promise.all( [ page.waitForNavigation(), page.selectOption( '#tcs-auth', 'oauth' ) ] );
	await page.fill( '#tcs-endpoint', env.crm );
	await page.fill( '#tcs-field_client_id', 'app' );
	await page.fill( '#tcs-field_client_secret', 'word' );
	await Promise.all( [ page.waitForURL( /tenant-crm-did=to-connect/ ), page.click( '#submit' ) ] );
	assert.match( await page.locator( '.notice-success' ).first().innerText(), /press .Connect. below/ );
	assert.ok( await page.locator( '#connect' ).isVisible() );
	assert.match( await page.locator( '.wrap' ).innerText(), /Not connected yet/ );
	await picture( page, 'tenant-consent' );
	await page.context().close();
} );

test( 'without scripts a button shows the fields, and saving too early saves nothing', async () => {
	const page = await visitor( { javaScriptEnabled: false } );
	await login( page );
	const id = unique( 'plain' );
	await page.goto( form );
	await page.fill( '#tcs-tenant_id', id );
	await page.selectOption( '#tcs-connector', 'hubspot' );
	await page.click( '#tcs-choose' );
	assert.equal( await page.getAttribute( '#tcs-endpoint', 'placeholder' ), 'https://api.hubapi.com' );
	await page.fill( '#tcs-api_key', 'pat-1' );
	await page.selectOption( '#tcs-connector', 'espocrm' );
	await page.click( '#submit' );
	assert.match( await page.locator( '.notice-info' ).innerText(), /EspoCRM/ );
	assert.equal( await page.inputValue( '#tcs-api_key' ), '' );
	await page.goto( overview );
	assert.equal( await row( page, id ).count(), 0 );
	await page.context().close();
} );
