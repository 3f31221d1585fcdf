// The panels below a tenant's form: a preview of both sides, field by field; everything read again with its progress; the webhooks' address,
// shown once, its new key, and what is wanted of them; and where the values of a lead come from.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admin, control, crmEdit, faults, inSite, login, makeTenant, picture, settled, takeScriptErrors, visitor } from './lib.mjs';

const screen = ( key, anchor = '' ) => admin( `admin.php?page=tenant-crm-sync-tenant&tenant=${ key }${ anchor }` );

test( 'preview: both sides, field by field, with the cost, and nothing is written; then where a value comes from', async () => {
	const page = await visitor();
	await login( page );
	const tenant = await makeTenant( page, 'foreseen', { rows: 5 } );
	const { key, posts } = inSite( settled( tenant.id, { direction: 'both', policy: 'ask' } ) );
	inSite( `update_post_meta( ${ posts[ 1 ] }, 'email', 'new@portal.test' ); wp_update_post( array( 'ID' => ${ posts[ 3 ] }, 'post_title' => 'Portal 3' ) );
		wp_insert_post( array( 'post_type' => 'crm_lead', 'post_status' => 'publish', 'post_title' => 'Made here', 'meta_input' => array( '_tenant_id' => '${ tenant.id }', 'email' => 'made@portal.test' ) ) );` );
	await crmEdit( tenant, 2, { name: 'CRM 2', email: 'two@crm.test' } );
	await crmEdit( tenant, 3, { name: 'CRM 3' } );
	const before = JSON.stringify( await control( 'GET', `/rows?tenant=${ encodeURIComponent( tenant.id ) }&object=leads` ) );

	await page.goto( screen( key ) );
	await Promise.all( [ page.waitForLoadState( 'load' ), page.click( '#tcs-preview' ) ] );
	const sums = await page.locator( '#tcs-preview-result' ).innerText();
	assert.match( sums, /In the portal\s+1 changed/ );
	assert.match( sums, /In the CRM\s+(1 changed, 1 new|1 new, 1 changed)/ );
	assert.match( sums, /For a person\s+1 to be decided/ );
	assert.match( sums, /about [\d,]+: \d+ for pages, \d+ for single records, \d+ to write/ );
	assert.match( sums, /Nothing was written/ );
	const table = page.locator( '#tcs-preview-table' );
	assert.match(
		await table.locator( 'tbody', { hasText: 'two@crm.test' } ).innerText(),
		/In the portal[\s\S]*name[\s\S]*CRM 2/,
		'both fields of a record are together'
	);
	assert.match( await table.locator( 'tbody', { hasText: 'new@portal.test' } ).innerText(), /In the CRM/ );
	await picture( page, 'tenant-preview' );
	assert.deepEqual( await faults( page ), [] );
	assert.equal( JSON.stringify( await control( 'GET', `/rows?tenant=${ encodeURIComponent( tenant.id ) }&object=leads` ) ), before, 'the CRM is as it was' );
	assert.equal( inSite( `return get_the_title( ${ posts[ 2 ] } );` ) === 'CRM 2', false, 'and the portal' );

	await page.goto( admin( `post.php?post=${ posts[ 1 ] }&action=edit` ) );
	const explained = await page.locator( '#tcs-explain tr', { hasText: 'email' } ).innerText();
	assert.match( explained, /new@portal\.test/ );
	assert.match( explained, /portal/ );
	await page.locator( '#tcs-explain' ).scrollIntoViewIfNeeded();
	await picture( page, 'lead-explained' );
	assert.deepEqual( await faults( page, '#normal-sortables .postbox-header, #postbox-container-1, #post-body-content' ), [] );
	assert.deepEqual( takeScriptErrors(), [] );
	await page.context().close();
} );

test( 'everything again: with progress, cancelled, and to the end', async () => {
	const page = await visitor();
	await login( page );
	const tenant = await makeTenant( page, 'again', { rows: 1500 } );
	const { key } = inSite( settled( tenant.id, {} ) );
	await control( 'POST', '/behaviour', { tenant: tenant.id, latency_ms: 1200 } );
	await page.goto( screen( key ) );
	await Promise.all( [ page.waitForURL( /#backfill/ ), page.click( '#tcs-backfill' ) ] );
	const state = page.locator( '.tcs-backfill-state' );
	await page.locator( '.tcs-backfill-state', { hasText: /: [1-9][\d,]* read, 1,500 were known before/ } ).waitFor();
	assert.ok( await page.locator( '.tcs-backfill progress' ).evaluate( ( meter ) => meter.value > 0 && meter.max === 1500 ), 'the bar moves' );
	await picture( page, 'tenant-backfill' );
	await Promise.all( [ page.waitForLoadState( 'load' ), page.click( '#tcs-backfill-cancel' ) ] );
	assert.match( await state.innerText(), /^Cancelled/ );
	await control( 'POST', '/behaviour', { tenant: tenant.id, latency_ms: null } );
	await page.click( '#tcs-backfill' );
	await page.locator( '.tcs-backfill-state', { hasText: /^Synced .*All 1,500 records unchanged/ } ).waitFor( { timeout: 30000 } );
	assert.ok( await page.locator( '#tcs-backfill' ).isVisible(), 'and again, if somebody wants that' );
	assert.deepEqual( takeScriptErrors(), [] );
	await page.context().close();
} );

test( 'webhooks: the address is shown once, a new one ends the old, what is wanted is chosen', async () => {
	const page = await visitor();
	await login( page );
	const tenant = await makeTenant( page, 'hooked', { rows: 2 } );
	const { key } = inSite( settled( tenant.id, {} ) );
	await page.goto( screen( key, '#webhooks' ) );
	const send = async ( address ) => ( await fetch( address, { method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json' } } ) ).status;
	await Promise.all( [ page.waitForLoadState( 'load' ), page.click( '#tcs-webhook-make' ) ] );
	const address = await page.inputValue( '#tcs-webhook-address' );
	assert.match( address, /tenant-crm-sync\/v1\/webhook\/[\w-]{40,}$/ );
	await page.click( '#tcs-webhook-copy' );
	await page.locator( '#tcs-webhook-copy', { hasText: 'Copied' } ).waitFor();
	await picture( page, 'tenant-webhook' );
	assert.deepEqual( await faults( page ), [] );

	await page.goto( screen( key ) );
	assert.ok( ! ( await page.content() ).includes( address.split( '/' ).pop() ), 'nobody sees it again' );
	await page.fill( '#tcs-webhook_objects', 'leads' );
	await page.fill( '#tcs-webhook_fields', 'name, email' );
	await page.fill( '#tcs-webhook_filter', 'status: open, new\nowner: Ada' );
	await Promise.all( [ page.waitForLoadState( 'load' ), page.click( '#tcs-webhook-save' ) ] );
	assert.match( await page.locator( '.notice-success' ).innerText(), /saved/ );
	assert.equal( await page.inputValue( '#tcs-webhook_filter' ), 'status: open, new\nowner: Ada', 'as it was written' );
	assert.deepEqual( inSite( `return TenantCRM\\Tenants::get( ${ key } )->settings['webhook'];` ), {
		objects: [ 'leads' ],
		fields: [ 'name', 'email' ],
		filter: { status: [ 'open', 'new' ], owner: [ 'Ada' ] },
	} );
	await page.fill( '#tcs-webhook_filter', 'nonsense' );
	await Promise.all( [ page.waitForLoadState( 'load' ), page.click( '#tcs-webhook-save' ) ] );
	assert.match( await page.locator( '.notice-error' ).innerText(), /“nonsense” says no field/ );

	page.once( 'dialog', ( dialog ) => dialog.dismiss() );
	await page.click( '#tcs-webhook-make' );
	assert.equal( await page.locator( '#tcs-webhook-address' ).count(), 0, 'it asks before it ends one' );
	page.once( 'dialog', ( dialog ) => dialog.accept() );
	await Promise.all( [ page.waitForLoadState( 'load' ), page.click( '#tcs-webhook-make' ) ] );
	const second = await page.inputValue( '#tcs-webhook-address' );
	assert.notEqual( second, address );
	await Promise.all( [ send( address ), send( second ) ] );
	assert.match(
		await ( async () => {
			await page.goto( screen( key ) );
			return page.locator( '.tcs-facts' ).innerText();
		} )(),
		/1 were refused|1 was refused/,
		'only what comes to the new one is counted here'
	);
	await picture( page, 'tenant-webhook-chosen' );
	assert.deepEqual( takeScriptErrors(), [] );
	await page.context().close();
} );
