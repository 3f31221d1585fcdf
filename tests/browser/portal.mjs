// The portal's table of leads: nobody is asked to log in, a user of tenant A finds, sorts and turns the pages of A's leads and never meets one of
// B's, whatever the page says; the page itself is the same for all of them.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { admin, control, env, login, picture, takeScriptErrors, unique, visitor } from './lib.mjs';

const BLOCK = '<!-- wp:tenant-crm-sync/leads {"perPage":10} /-->';
const portal = {};

const axe = createRequire( import.meta.url ).resolve( 'axe-core' );

/** What axe-core finds wrong with the block, a line an element. */
async function faults( page ) {
	await page.addScriptTag( { path: axe } );
	const found = await page.evaluate( () => window.axe.run( { include: [ '.tcs-portal' ] }, { resultTypes: [ 'violations' ] } ) );
	assert.ok( found.passes.length > 5, 'axe looked at something' );
	return found.violations.flatMap( ( { id, nodes } ) => nodes.map( ( node ) => `${ id }: ${ node.html.slice( 0, 160 ) }` ) );
}

/** Asks REST as the admin whose page it is. */
const api = ( page, method, path, data ) =>
	page.evaluate( ( [ how, where, what ] ) => window.wp.apiFetch( { method: how, path: where, data: what } ), [ method, path, data ] );

/** A tenant with leads that are called after it, synced. */
async function tenant( page, name, rows ) {
	const id = unique( name );
	await control( 'POST', '/tenants', { id, key: `key-of-${ id }`, paging: 'page' } );
	await control( 'POST', '/rows', {
		tenant: id,
		object: 'leads',
		rows: Array.from( { length: rows }, ( _, n ) => ( {
			id: String( n + 1 ),
			name: `${ name } person ${ String( n + 1 ).padStart( 2, '0' ) }`,
			email: `${ name.toLowerCase() }${ n + 1 }@example.test`,
			status: n % 3 ? 'open' : 'won',
			created_at: '2026-01-02T03:04:05Z',
			updated_at: `2026-02-${ String( ( n % 28 ) + 1 ).padStart( 2, '0' ) }T04:05:06Z`,
		} ) ),
	} );
	const made = await api( page, 'POST', '/tenant-crm-sync/v1/tenants', { id, label: `${ name } Ltd`, endpoint: env.crm, api_key: `key-of-${ id }` } );
	let run = await api( page, 'POST', '/tenant-crm-sync/v1/sync', { tenant: id } );
	for ( let slice = 0; slice < 20 && ! [ 'done', 'failed' ].includes( run.state ); slice++ ) {
		run = await api( page, 'POST', `/tenant-crm-sync/v1/sync/${ run.id }/slice`, {} );
	}
	assert.equal( run.state, 'done', run.error );
	return made;
}

test( 'two tenants with leads, a user of one of them, and pages with the block and the shortcode', async () => {
	const page = await visitor();
	await login( page );
	await page.goto( admin( 'admin.php?page=tenant-crm-sync' ) );
	portal.a = await tenant( page, 'Alpha', 25 );
	portal.b = await tenant( page, 'Beta', 5 );
	portal.name = unique( 'portal' );
	portal.password = `${ portal.name }-Pass-1`;
	const user = await api( page, 'POST', '/wp/v2/users', {
		username: portal.name,
		email: `${ portal.name }@example.test`,
		password: portal.password,
		roles: [ 'tenant_crm_portal_user' ],
	} );
	const post = ( content ) => api( page, 'POST', '/wp/v2/pages', { title: 'Your leads', content, status: 'publish' } );
	portal.page = ( await post( BLOCK ) ).link;
	portal.forged = (
		await post(
			`<!-- wp:tenant-crm-sync/leads {"tenant":${ portal.b.key }} /--><p>[tenant_crm_leads tenant="${ portal.b.key }" per_page="5" columns="name,owner"]</p>`
		)
	).link;
	await page.goto( admin( `user-edit.php?user_id=${ user.id }` ) );
	await page.locator( 'label', { hasText: 'Alpha Ltd' } ).last().locator( 'input' ).check();
	await page.click( '#submit' );
	await page.context().close();
} );

test( 'a tenant’s screen says who sees its leads, and lets roles see them', async () => {
	const page = await visitor();
	await login( page );
	await page.goto( admin( `admin.php?page=tenant-crm-sync-tenant&tenant=${ portal.a.key }` ) );
	const form = page.locator( 'form', { has: page.locator( '#tcs-members' ) } );
	assert.equal( await form.getByRole( 'link' ).innerText(), portal.name, 'who has it in the own list' );
	await form.getByLabel( 'Contributor' ).check();
	await Promise.all( [ page.waitForURL( /did=members/ ), page.click( '#tcs-members' ) ] );
	assert.ok( await form.getByLabel( 'Contributor' ).isChecked() );
	assert.equal( await form.getByLabel( 'Subscriber' ).isChecked(), false );
	assert.equal( await form.getByLabel( 'Administrator' ).count(), 0, 'who manages tenants sees all of them anyway' );
	assert.match( await page.locator( '.notice-success' ).innerText(), /^Saved who sees the leads\./ );
	assert.deepEqual( takeScriptErrors(), [] );
	await page.context().close();
} );

const shell = ( html ) => html.match( /<div class="tcs-portal[^>]*data-rest[\s\S]*?<\/noscript><\/div>/ )?.[ 0 ];

test( 'nobody is asked to log in, and comes back to the page', async () => {
	const page = await visitor();
	await page.goto( portal.page );
	const link = page.getByRole( 'status' ).getByRole( 'link', { name: 'Log in' } );
	await link.waitFor();
	assert.equal( await page.getByRole( 'status' ).innerText(), 'Log in to see your leads. Log in' );
	assert.equal( await page.locator( '.tcs-portal form' ).isVisible(), false, 'nothing to search' );
	assert.doesNotMatch( await page.content(), /Alpha person|Beta person/ );
	await picture( page, 'portal-nobody' );
	await Promise.all( [ page.waitForURL( /wp-login\.php/ ), link.click() ] );
	await page.fill( '#user_login', portal.name );
	await page.fill( '#user_pass', portal.password );
	await Promise.all( [ page.waitForURL( portal.page ), page.click( '#wp-submit' ) ] );
	await page.getByText( '25 leads' ).waitFor();
	assert.deepEqual( takeScriptErrors(), [] );
	portal.reader = page;
} );

test( 'a user of tenant A finds, sorts and pages through A’s leads', async () => {
	const page = portal.reader;
	const table = page.getByRole( 'table', { name: 'Leads' } );
	const names = async () => ( await table.getByRole( 'rowheader' ).allInnerTexts() ).map( ( text ) => text.trim() );
	const settled = () => page.locator( '.tcs-portal:not([aria-busy])' ).waitFor();
	await table.waitFor();
	assert.equal( ( await names() ).length, 10 );
	await picture( page, 'portal-a' );
	assert.deepEqual( await faults( page ), [], 'axe-core' );

	await table.getByRole( 'button', { name: 'Name' } ).click();
	await table.locator( 'th[aria-sort="ascending"]', { hasText: 'Name' } ).waitFor();
	assert.equal( ( await names() )[ 0 ], 'Alpha person 01' );
	assert.equal( await page.evaluate( () => document.activeElement.dataset.orderby ), 'name', 'the focus stays' );
	await page.keyboard.press( 'Enter' );
	await table.locator( 'th[aria-sort="descending"]', { hasText: 'Name' } ).waitFor();
	assert.equal( ( await names() )[ 0 ], 'Alpha person 25' );

	await page.getByRole( 'button', { name: 'Next' } ).click();
	await page.getByText( 'Page 2 of 3' ).waitFor();
	await page.getByRole( 'button', { name: 'Next' } ).click();
	await page.getByText( 'Page 3 of 3' ).waitFor();
	assert.equal( ( await names() ).length, 5 );
	assert.equal( await page.getByRole( 'button', { name: 'Next' } ).getAttribute( 'aria-disabled' ), 'true' );

	await page.getByRole( 'searchbox' ).fill( 'alpha7@' );
	await page.keyboard.press( 'Enter' );
	await page.getByText( '1 lead', { exact: true } ).waitFor();
	assert.deepEqual( await names(), [ 'Alpha person 07' ] );
	await page.getByRole( 'searchbox' ).fill( 'Beta' );
	await page.getByRole( 'button', { name: 'Search' } ).click();
	await page.getByText( 'No lead fits.' ).waitFor();
	await settled();
	assert.deepEqual( takeScriptErrors(), [] );
} );

test( 'no attribute, parameter or screen shows tenant B to a user of A', async () => {
	const page = portal.reader;
	await page.goto( portal.forged );
	await page.getByText( '25 leads' ).nth( 1 ).waitFor();
	assert.doesNotMatch( await page.content(), /Beta/ );
	const key = await page.evaluate( async () => ( await fetch( '/wp-admin/admin-ajax.php?action=rest-nonce' ) ).text() );
	for ( const path of [ `portal/leads?tenant=${ portal.b.key }`, `leads?tenant=${ portal.b.key }`, 'leads?search=Beta', `tenants/${ portal.b.key }` ] ) {
		const answer = await page.request.get( `${ env.site }/wp-json/tenant-crm-sync/v1/${ path }`, { headers: { 'X-WP-Nonce': key } } );
		assert.doesNotMatch( await answer.text(), /Beta person|Beta Ltd/, path );
		assert.match( answer.headers()[ 'cache-control' ], /private, no-store/, path );
	}
	await page.goto( admin( 'admin.php?page=tenant-crm-sync-leads' ) );
	assert.match( await page.content(), /Alpha person/, 'the list in wp-admin' );
	assert.doesNotMatch( await page.content(), /Beta person|Beta Ltd/ );
} );

test( 'the page is the same for everybody, so that any cache may keep it', async () => {
	const nobody = shell( await ( await fetch( portal.page ) ).text() );
	const a = shell( await ( await portal.reader.request.get( portal.page ) ).text() );
	assert.ok( a, 'the shell is there' );
	assert.equal( a, nobody );
	await portal.reader.context().close();
} );
