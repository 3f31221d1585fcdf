// A CRM holds what strangers typed. Leads whose every field tries to run a script are synced and shown on every screen there is: none
// may run, and each must be shown as the text that it is.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addTenant, admin, control, ended, login, overview, picture, row, syncNow, takeScriptErrors, unique, visitor } from './lib.mjs';

const IMG = '<img src=x onerror=window.__xss=1>';
const CANARIES = [
	IMG,
	'"><script>window.__xss=1</script>',
	"' onmouseover='window.__xss=1' autofocus onfocus='window.__xss=1",
	'</title></textarea></script><svg onload=window.__xss=1>',
	'javascript:window.__xss=1//',
	'[caption]<a href="javascript:window.__xss=1">x</a>[/caption]',
	'%3Cimg%20src%3Dx%20onerror%3Dwindow.__xss%3D1%3E',
	'&lt;img src=x onerror=window.__xss=1&gt;',
];

const lead = ( text, number ) => ( {
	id: `${ number }-${ text }`,
	name: text,
	email: text,
	phone: text,
	company: text,
	status: text,
	owner: text,
	notes: text,
	tags: [ text ],
	updated_at: `2026-01-01T00:00:${ String( number ).padStart( 2, '0' ) }Z`,
} );

async function quiet( page, where ) {
	await page.mouse.move( 300, 300 );
	await page.waitForTimeout( 200 );
	assert.equal( await page.evaluate( () => window.__xss ), undefined, `a script ran on ${ where }` );
	assert.equal( await page.locator( 'img[src="x"], svg[onload], a[href^="javascript:window"]' ).count(), 0, `markup of a lead on ${ where }` );
}

test( 'no field of a lead runs a script on any screen', async () => {
	const page = await visitor();
	await login( page );
	const id = unique( 'hostile' );
	await control( 'POST', '/tenants', { id, key: `key-${ id }`, paging: 'page', ids: 'string' } );
	await control( 'POST', '/rows', { tenant: id, object: 'leads', rows: CANARIES.map( lead ) } );
	// A record without an id is refused by name: the reason is shown in the log.
	await control( 'POST', '/rows', {
		tenant: id,
		object: 'leads',
		raw: [ JSON.stringify( { id: { [ IMG ]: IMG }, name: IMG, updated_at: '2026-01-01T00:00:30Z' } ) ],
	} );
	await addTenant( page, { id, label: `Hostile ${ id } "'<x`, key: `key-${ id }` } );
	await syncNow( page, id );
	const done = await ended( page, id, 'done' );
	assert.equal( done.records, String( CANARIES.length ) );
	await quiet( page, 'the overview' );
	const key = new URL( await row( page, id ).locator( '.row-title' ).getAttribute( 'href' ), page.url() ).searchParams.get( 'tenant' );

	await page.goto( admin( `admin.php?page=tenant-crm-sync-leads&tenant=${ key }&orderby=updated&order=asc` ) );
	await quiet( page, 'the leads' );
	assert.equal( await page.locator( '.tcs-leads tbody tr' ).count(), CANARIES.length );
	const first = page.locator( '.tcs-leads tbody tr' ).first();
	assert.ok( ( await first.locator( '.column-email' ).innerText() ).includes( IMG ), 'the text itself is shown' );
	await picture( page, 'leads-hostile' );

	await page.fill( '#tcs-words', IMG );
	await page.locator( '.tcs-filters button' ).click();
	await quiet( page, 'the search' );
	assert.equal( await page.inputValue( '#tcs-words' ), IMG );
	assert.ok( ( await page.locator( '.tcs-leads tbody tr' ).count() ) >= 1, 'what was searched is found' );

	await page.goto( admin( `admin.php?page=tenant-crm-sync-log&tenant=${ key }` ) );
	await page.locator( '.tcs-log details' ).evaluateAll( ( all ) =>
		all.forEach( ( one ) => {
			one.open = true;
		} )
	);
	await quiet( page, 'the log' );
	await picture( page, 'log' );

	for ( const [ name, address ] of [
		[ 'the tenant', `admin.php?page=tenant-crm-sync-tenant&tenant=${ key }` ],
		[ 'the question before deleting', `admin.php?page=tenant-crm-sync-tenant&tenant=${ key }&delete=1` ],
		[ 'Site Health', 'site-health.php?tab=debug' ],
	] ) {
		await page.goto( admin( address ) );
		await quiet( page, name );
	}

	await page.goto( admin( 'edit.php?post_type=crm_lead&orderby=date&order=desc' ) );
	await quiet( page, 'the list of posts' );
	assert.ok( ( await page.locator( '#the-list tr' ).count() ) >= 1, 'the list of posts has rows' );
	await picture( page, 'posts' );

	await page.goto( admin( `admin.php?page=tenant-crm-sync-leads&tenant=${ key }` ) );
	const links = await page.locator( '.tcs-leads .row-title' ).evaluateAll( ( all ) => all.map( ( one ) => one.href ) );
	assert.equal( links.length, CANARIES.length, 'every lead has an edit screen' );
	for ( const link of links ) {
		await page.goto( link );
		assert.equal( await page.locator( '#tcs-lead' ).count(), 1 );
		await quiet( page, 'the edit screen' );
	}
	await picture( page, 'lead-edit' );
	assert.deepEqual( takeScriptErrors(), [] );
	await page.context().close();
} );

test( 'parameters of the address run no script either', async () => {
	const page = await visitor();
	await login( page );
	const evil = encodeURIComponent( IMG );
	for ( const address of [
		`admin.php?page=tenant-crm-sync&tenant-crm-did=${ evil }&paged=${ evil }`,
		`admin.php?page=tenant-crm-sync-leads&s=${ evil }&orderby=${ evil }&order=${ evil }&tenant=${ evil }`,
		`admin.php?page=tenant-crm-sync-log&s=${ evil }&level=${ evil }&tenant=${ evil }&s[]=x&level[]=x`,
		`admin.php?page=tenant-crm-sync-tenant&tenant=${ evil }`,
	] ) {
		await page.goto( admin( address ) );
		await quiet( page, address );
	}
	await page.goto( `${ overview }&tenant-crm-did=deleted` );
	assert.equal( await page.locator( '.notice-success' ).count(), 1 );
	await page.context().close();
} );
