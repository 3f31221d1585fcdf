// Who gets in: nobody without logging in, no subscriber, no form without its nonce; and who may say which tenants a user belongs to.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admin, env, login, makeTenant, overview, row, unique, visitor } from './lib.mjs';

const routes = `${ env.site }/wp-json/tenant-crm-sync/v1/sync`;
const slugs = [ 'tenant-crm-sync', 'tenant-crm-sync-leads', 'tenant-crm-sync-log', 'tenant-crm-sync-tenant' ];

test( 'nobody: every route refuses in plain words, every screen asks for a login', async () => {
	for ( const [ method, path ] of [
		[ 'POST', '' ],
		[ 'GET', '/1' ],
		[ 'DELETE', '/1' ],
		[ 'POST', '/1/slice' ],
	] ) {
		const answer = await fetch( routes + path, {
			method,
			headers: { 'Content-Type': 'application/json' },
			body: method === 'POST' ? JSON.stringify( { tenant: 'acme' } ) : undefined,
		} );
		assert.equal( answer.status, 401, `${ method } ${ path }` );
		assert.equal( ( await answer.json() ).code, 'tenant_crm_forbidden' );
	}
	const figures = await fetch( `${ env.site }/wp-json/tenant-crm-sync/v1/metrics` );
	assert.equal( figures.status, 401 );
	assert.equal( ( await figures.json() ).code, 'tenant_crm_forbidden' );
	for ( const slug of slugs ) {
		const answer = await fetch( admin( `admin.php?page=${ slug }` ), { redirect: 'manual' } );
		assert.equal( answer.status, 302, slug );
		assert.match( answer.headers.get( 'location' ), /wp-login\.php/ );
	}
} );

test( 'an admin: bad requests are refused with what is wrong with them', async () => {
	const page = await visitor();
	await login( page );
	await page.goto( overview );
	const ask = ( method, path, data ) =>
		page.evaluate(
			async ( [ how, where, what ] ) => {
				try {
					return await window.wp.apiFetch( { method: how, path: `/tenant-crm-sync/v1/sync${ where }`, data: what } );
				} catch ( error ) {
					return error;
				}
			},
			[ method, path, data ]
		);
	assert.equal( ( await ask( 'POST', '', {} ) ).code, 'rest_missing_callback_param' );
	assert.equal( ( await ask( 'POST', '', { tenant: '' } ) ).code, 'rest_invalid_param' );
	assert.equal( ( await ask( 'POST', '', { tenant: 'x'.repeat( 300 ) } ) ).code, 'rest_invalid_param' );
	assert.equal( ( await ask( 'POST', '', { tenant: [ 'x' ] } ) ).code, 'rest_invalid_param' );
	assert.equal( ( await ask( 'POST', '', { tenant: unique( 'nobody' ) } ) ).code, 'tenant_crm_unknown_tenant' );
	assert.equal( ( await ask( 'GET', '/999999999' ) ).code, 'tenant_crm_unknown_run' );
	assert.equal( ( await ask( 'POST', '/999999999/slice', { seconds: 1 } ) ).code, 'tenant_crm_unknown_run' );
	assert.equal( ( await ask( 'POST', '/1/slice', { seconds: 60 } ) ).code, 'rest_invalid_param' );
	assert.equal( ( await ask( 'GET', '/abc' ) ).code, 'rest_no_route' );

	const { id } = await makeTenant( page, 'shape', { rows: 5 } );
	const run = await ask( 'POST', '', { tenant: id } );
	assert.equal( run.tenant, id );
	assert.equal( run.state, 'queued' );
	assert.equal( ( await ask( 'POST', '', { tenant: id } ) ).id, run.id, 'a second click is the same run' );
	assert.equal( ( await ask( 'DELETE', `/${ run.id }` ) ).state, 'cancelled' );
	assert.equal( ( await ask( 'POST', `/${ run.id }/slice` ) ).state, 'cancelled', 'a cancelled run is not worked' );

	const bare = await page.evaluate(
		async ( address ) => ( await fetch( address, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"tenant":"x"}' } ) ).status,
		routes
	);
	assert.equal( bare, 401, 'the cookie alone, without the nonce, is not enough' );
	const forged = await page.request.post( admin( 'admin-post.php' ), { form: { action: 'tenant_crm_delete', tenant: '1', _wpnonce: 'forged' } } );
	assert.equal( forged.status(), 403 );
	await page.context().close();
} );

test( 'a subscriber sees nothing of it; only who manages tenants says whose leads a user sees', async () => {
	const page = await visitor();
	await login( page );
	const { id } = await makeTenant( page, 'owned', { rows: 0 } );
	const name = unique( 'reader' );
	const user = await page.evaluate(
		( [ username ] ) =>
			window.wp.apiFetch( {
				method: 'POST',
				path: '/wp/v2/users',
				data: { username, email: `${ username }@example.test`, password: `${ username }-Pass-1`, roles: [ 'subscriber' ] },
			} ),
		[ name ]
	);
	await page.goto( admin( `user-edit.php?user_id=${ user.id }` ) );
	await page.locator( 'label', { hasText: id } ).locator( 'input' ).check();
	await page.click( '#submit' );
	await page.goto( admin( `user-edit.php?user_id=${ user.id }` ) );
	assert.ok( await page.locator( 'label', { hasText: id } ).locator( 'input' ).isChecked(), 'the tenant is kept' );

	const reader = await visitor();
	await login( reader, name, `${ name }-Pass-1` );
	assert.equal( await reader.locator( '#toplevel_page_tenant-crm-sync' ).count(), 0, 'no menu' );
	for ( const slug of slugs ) {
		assert.equal( ( await reader.goto( admin( `admin.php?page=${ slug }` ) ) ).status(), 403, slug );
	}
	assert.equal( ( await reader.goto( admin( 'edit.php?post_type=crm_lead' ) ) ).status(), 403, 'the list of posts' );
	await reader.goto( admin( 'profile.php' ) );
	assert.equal( await reader.locator( '[name="tenant_crm_tenants[]"]' ).count(), 0, 'no field on the own profile' );
	// The field posted all the same changes nothing.
	await reader.locator( '#your-profile' ).evaluate( ( form ) => {
		for ( const [ field, value ] of [
			[ 'tenant-crm-user', 'x' ],
			[ 'tenant_crm_tenants[]', '1' ],
		] ) {
			const input = document.createElement( 'input' );
			input.type = 'hidden';
			input.name = field;
			input.value = value;
			form.append( input );
		}
	} );
	await reader.click( '#submit' );
	await page.reload();
	assert.ok( await page.locator( 'label', { hasText: id } ).locator( 'input' ).isChecked() );
	assert.equal( await page.locator( '[name="tenant_crm_tenants[]"]:checked' ).count(), 1 );
	await reader.context().close();
	await page.context().close();
} );

test( 'Site Health knows the plugin and shows no secret', async () => {
	const page = await visitor();
	await login( page );
	const { id, key } = await makeTenant( page, 'health', { rows: 0 } );
	await page.goto( overview );
	assert.equal( await row( page, id ).count(), 1 );
	await page.goto( admin( 'site-health.php?tab=debug' ) );
	const text = await page.locator( '#health-check-accordion-block-tenant-crm-sync' ).textContent();
	assert.match( text, /Plugin version/ );
	assert.match( text, /Host keys/ );
	const html = await page.content();
	assert.ok( ! html.includes( key ), 'no key' );
	assert.ok( ! html.includes( id ), 'no tenant' );
	await page.context().close();
} );
