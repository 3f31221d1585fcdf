// The Log screen: the requests of a sync and of "Test connection", found by filters, and how they look at both sizes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { control, ended, login, makeTenant, overview, picture, row, syncNow, takeScriptErrors, visitor } from './lib.mjs';

const rows = ( page ) => page.locator( '.tcs-log tbody tr:not(.no-items)' );

test( 'every request is found again: by tenant, outcome and words, and from its sync', async () => {
	const page = await visitor();
	await login( page );
	const { id, key } = await makeTenant( page, 'asked', { rows: 30 } );
	await control( 'POST', '/faults', {
		tenant: id,
		faults: [ { kind: 'canned', status: 503, body: `<img src=x onerror=alert(1)> ${ key } is busy`, times: 1 } ],
	} );
	await page.goto( overview );
	await syncNow( page, id );
	await ended( page, id, 'done' );
	await Promise.all( [ page.waitForURL( /page=tenant-crm-sync-log/ ), row( page, id ).locator( '.row-actions .log a' ).dispatchEvent( 'click' ) ] );
	await Promise.all( [ page.waitForURL( /view=requests/ ), page.locator( '.nav-tab', { hasText: 'Requests' } ).click() ] );
	const before = await rows( page ).count();
	assert.ok( before >= 3, `${ before } requests of this tenant, the test of its connection among them` );
	assert.equal(
		await page
			.locator( '#tcs-tenant option:checked' )
			.textContent()
			.then( ( text ) => text.includes( id ) ),
		true,
		'the tenant stays chosen'
	);

	await page.selectOption( '#tcs-outcome', 'failed' );
	await page.fill( '#tcs-words', 'IS BUSY' );
	await Promise.all( [ page.waitForURL( /outcome=failed/ ), page.click( '.tcs-filters button' ) ] );
	assert.equal( await rows( page ).count(), 1 );
	const text = await rows( page ).first().textContent();
	assert.match( text, /transient/ );
	assert.match( text, /HTTP 503/ );
	assert.ok( ! ( await page.content() ).includes( key ), 'no key' );
	assert.equal( await page.locator( '.tcs-log img' ).count(), 0, 'what a CRM sent is text' );
	await picture( page, 'log-requests' );

	await rows( page ).first().locator( 'summary' ).click();
	await Promise.all( [ page.waitForURL( /run=\d+/ ), rows( page ).first().getByText( 'All requests of sync' ).click() ] );
	assert.equal( await rows( page ).count(), before - 1 );

	// "Test connection" is no sync.
	await page.goto( overview );
	await row( page, id ).locator( '.row-actions .edit a' ).dispatchEvent( 'click' );
	await page.click( '#tcs-test' );
	await page.locator( '.notice-success' ).waitFor();
	await page.goto( overview );
	await row( page, id ).locator( '.row-actions .log a' ).dispatchEvent( 'click' );
	await page.locator( '.nav-tab', { hasText: 'Requests' } ).click();
	await rows( page ).nth( before ).waitFor();
	assert.equal( await rows( page ).first().getByText( 'All requests of sync' ).count(), 0 );
	assert.deepEqual( takeScriptErrors(), [] );
	await page.context().close();
} );
