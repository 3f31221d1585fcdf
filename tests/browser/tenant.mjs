// The life of a tenant as an admin sees it: mistakes in the form, a wrong key, the right one, a sync with progress, a second one, changes,
// the key that is never shown again, the end.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
	addTenant,
	admin,
	control,
	ended,
	env,
	fillTenant,
	login,
	makeTenant,
	overview,
	picture,
	row,
	save,
	syncNow,
	takeScriptErrors,
	unique,
	visitor,
} from './lib.mjs';

const form = admin( 'admin.php?page=tenant-crm-sync-tenant' );
const error = ( page, field ) => page.locator( `#tcs-${ field }-error` ).innerText();
const submit = ( page ) => page.click( '#submit' );

test( 'the form says in plain words what is wrong, keeps what was typed, and not the key', async () => {
	const page = await visitor();
	await login( page );
	await page.goto( form );
	await picture( page, 'tenant-add' );
	// The browser's own checks would keep bad values from ever reaching the server.
	await page.locator( 'form:has(#tcs-endpoint)' ).evaluate( ( element ) => {
		element.noValidate = true;
	} );
	await submit( page );
	assert.match( await error( page, 'tenant_id' ), /Give the tenant an id/ );
	assert.match( await error( page, 'endpoint' ), /Give the address/ );
	assert.match( await error( page, 'api_key' ), /Give the API key/ );

	await fillTenant( page, { id: 'kept-id', label: 'Kept <b>name</b>', key: 'secret-that-must-not-come-back', endpoint: 'ftp://crm.example.com' } );
	await submit( page );
	assert.match( await error( page, 'endpoint' ), /not an address/ );
	assert.equal( await page.inputValue( '#tcs-tenant_id' ), 'kept-id' );
	assert.equal( await page.inputValue( '#tcs-label' ), 'Kept name' );
	assert.equal( await page.inputValue( '#tcs-api_key' ), '' );
	assert.ok( ! ( await page.content() ).includes( 'secret-that-must-not-come-back' ) );
	assert.equal( await page.getAttribute( '#tcs-endpoint', 'aria-invalid' ), 'true' );
	assert.match( await page.getAttribute( '#tcs-endpoint', 'aria-describedby' ), /tcs-endpoint-error/ );
	await picture( page, 'tenant-errors' );

	for ( const [ endpoint, words ] of [
		[ 'http://crm.example.com', /must begin with https/ ],
		[ 'https://user:word@crm.example.com', /Leave user and password out/ ],
		[ 'https://crm.example.com/api/v1/leads', /without a path/ ],
		[ 'https://', /not an address/ ],
	] ) {
		await fillTenant( page, { id: 'kept-id', key: 'k', endpoint } );
		await page.locator( 'form:has(#tcs-endpoint)' ).evaluate( ( element ) => {
			element.noValidate = true;
		} );
		await submit( page );
		assert.match( await error( page, 'endpoint' ), words );
	}
	await page.goto( overview );
	assert.equal( await row( page, 'kept-id' ).count(), 0, 'nothing was stored' );
	await page.context().close();
} );

test( 'a wrong key, the right key, progress to the end, nothing changed, some changed, deleted', async () => {
	const page = await visitor();
	await login( page );
	const id = unique( 'acme' );
	const label = `Acme ${ id }`;
	await control( 'POST', '/tenants', { id, key: `right-${ id }`, paging: 'page', max_per_page: 100 } );
	await control( 'POST', '/seed', { tenant: id, object: 'leads', count: 2500, seed: 7, bytes: 400 } );

	await addTenant( page, { id, label, key: `wrong-${ id }` } );
	assert.equal( await row( page, id ).locator( '.tcs-health' ).innerText(), 'New' );
	assert.equal( await row( page, id ).locator( '.tcs-state' ).innerText(), 'Never synced' );

	await syncNow( page, id );
	const failed = await ended( page, id, 'failed' );
	assert.match( failed.state, /^Failed/ );
	assert.match( failed.error, /401/ );
	assert.match( await row( page, id ).locator( '.tcs-remedy' ).innerText(), /does not accept the API key/ );
	assert.ok( failed.error.includes( id ), 'the error names the tenant' );
	assert.equal( failed.records, '0' );
	assert.ok( ! ( await page.content() ).includes( `wrong-${ id }` ), 'no key on the screen' );
	await picture( page, 'overview-wrong-key' );

	await row( page, id ).locator( '.row-title' ).click();
	assert.equal( await page.inputValue( '#tcs-api_key' ), '' );
	await fillTenant( page, { key: `right-${ id }` } );
	await save( page );
	assert.match( await page.locator( '.notice-success' ).first().innerText(), /Tenant saved/ );
	await page.goto( overview );

	await control( 'POST', '/behaviour', { tenant: id, latency_ms: 250 } );
	const seen = new Set();
	await page.exposeFunction( 'sawProgress', ( text ) => seen.add( text ) );
	await row( page, id )
		.locator( '.tcs-progress' )
		.evaluate( ( element ) => {
			new MutationObserver( () => window.sawProgress( element.textContent ) ).observe( element, { childList: true } );
		} );
	await syncNow( page, id );
	await row( page, id )
		.locator( '.tcs-progress', { hasText: /records\/s/ } )
		.waitFor();
	assert.ok( await row( page, id ).locator( '[role=progressbar]' ).isVisible() );
	await picture( page, 'overview-running' );
	const done = await ended( page, id, 'done' );
	assert.equal( done.counts, '2,500 created' );
	assert.equal( done.records, '2500' );
	const steps = [ ...seen ].filter( ( text ) => /^[\d,]+ records · [\d,]+ pages?/.test( text ) );
	assert.ok( steps.length >= 3, `progress moved: ${ steps.join( ' | ' ) }` );
	assert.match( await page.locator( '#a11y-speak-polite' ).innerText(), /Synced .*2,500 created/, 'the end is announced' );
	await picture( page, 'overview-done' );

	assert.equal( await row( page, id ).locator( '.tcs-health', { hasText: 'Healthy' } ).innerText(), 'Healthy' );

	// The last sync says how long this one will take.
	await control( 'POST', '/touch', { tenant: id, object: 'leads', count: 2400 } );
	await page.reload();
	await syncNow( page, id );
	await row( page, id )
		.locator( '.tcs-progress', { hasText: /records\/s · about [\d,]+ s left/ } )
		.waitFor();
	assert.ok( Number( await row( page, id ).locator( '[role=progressbar]' ).getAttribute( 'aria-valuenow' ) ) > 0 );
	await picture( page, 'overview-time-left' );
	await row( page, id ).locator( '.tcs-counts', { hasText: '2,400 updated' } ).waitFor();

	await control( 'POST', '/behaviour', { tenant: id, latency_ms: null } );
	await syncNow( page, id );
	await row( page, id )
		.locator( '.tcs-counts', { hasText: /unchanged|Nothing changed/ } )
		.waitFor();
	const second = await ended( page, id, 'done' );
	assert.match( second.counts, /^(All [\d,]+ records unchanged|1 record, unchanged|Nothing changed at the CRM)\.$/ );

	await control( 'POST', '/touch', { tenant: id, object: 'leads', count: 30 } );
	await syncNow( page, id );
	await row( page, id ).locator( '.tcs-counts', { hasText: '30 updated' } ).waitFor();

	await page.reload();
	assert.match( await row( page, id ).locator( '.tcs-counts' ).innerText(), /30 updated/, 'the server says the same after a reload' );

	await row( page, id ).hover();
	await row( page, id ).locator( '.row-actions .delete a' ).click();
	const question = await page.locator( '.wrap' ).innerText();
	assert.match( question, /data key is destroyed/ );
	assert.match( question, /What only the CRM can do/ );
	assert.match( question, /Revoke the API key/ );
	await picture( page, 'tenant-delete' );
	await Promise.all( [ page.waitForURL( /tenant-crm-did|page=tenant-crm-sync/ ), page.click( '#tcs-delete' ) ] );
	assert.match( await page.locator( '.notice-success' ).innerText(), /Tenant deleted/ );
	assert.equal( await row( page, id ).count(), 0 );
	assert.deepEqual( takeScriptErrors(), [] );
	await page.context().close();
} );

test( 'a new address wants the key again, and settings come back as they were saved', async () => {
	const page = await visitor();
	await login( page );
	const { id, key } = await makeTenant( page, 'moved', { rows: 0 } );
	await row( page, id ).locator( '.row-title' ).click();
	await page.selectOption( '#tcs-interval', '900' );
	await page.check( 'input[name=storage][value=hooks]' );
	await page.check( '#tcs-stable_order' );
	await page.fill( '#tcs-parallel', '4' );
	await page.fill( 'input[name="limit_amount[]"] >> nth=0', '500' );
	await page.selectOption( 'select[name="limit_period[]"] >> nth=0', '60' );
	await page.fill( '#tcs-reserve', '35' );
	await save( page );
	assert.equal( await page.inputValue( 'input[name="limit_amount[]"] >> nth=0' ), '500' );
	assert.equal( await page.inputValue( 'select[name="limit_period[]"] >> nth=0' ), '60' );
	assert.equal( await page.inputValue( '#tcs-reserve' ), '35' );
	assert.match( await page.locator( '#tcs-limits' ).innerText(), /of 500 requests a minute used/ );
	assert.equal( await page.inputValue( '#tcs-interval' ), '900' );
	assert.ok( await page.isChecked( 'input[name=storage][value=hooks]' ) );
	assert.ok( await page.isChecked( '#tcs-stable_order' ) );
	assert.equal( await page.inputValue( '#tcs-parallel' ), '4' );
	assert.ok( ! ( await page.content() ).includes( key ), 'the stored key is not in the form' );

	await fillTenant( page, { endpoint: 'https://elsewhere.example.com' } );
	await submit( page );
	assert.match( await error( page, 'api_key' ), /address changed/ );

	await page.goto( overview );
	assert.match( await row( page, id ).locator( '.column-crm' ).innerText(), new RegExp( new URL( env.crm ).host ), 'the old address stayed' );
	await page.context().close();
} );
