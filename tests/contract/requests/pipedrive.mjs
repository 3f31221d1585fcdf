// What the runner itself asks of Pipedrive's dialect, and what its client is asked to write. All of it goes through Prism.

/** Parts that the specification leaves out: none. */
export const outside = [];

/** An answer that is wrong by the specification, so that it is seen that Prism sees it. */
export const lies = {
	'/v1': { target: '/leads', body: { success: true, data: [ { id: 'no uuid', title: 5 } ] } },
	'/api/v2': { target: '/persons', body: { success: 'yes', data: [ { id: '1' } ] } },
};

export const headers = ( key ) => ( { 'x-api-token': key } );

/** Neutral records that the client creates; `{id:contacts}` is the id of one that it made before. In this order. */
export const objects = [
	{
		object: 'contacts',
		create: { name: 'Zoë Müller', email: 'zoe@contract.test', phone: '+49 30 123456' },
		update: { name: 'Zoë van der Berg', phone: '+49 30 654321' },
	},
	{ object: 'companies', create: { name: 'Łódź & Söhne' }, update: { name: 'Łódź AG' } },
	{
		object: 'deals',
		create: { name: 'Offer', amount: 1250.5, currency: 'EUR', person: '{id:contacts}', close_date: '2027-01-31' },
		update: { name: 'Second offer', amount: 99 },
	},
	{
		object: 'leads',
		create: { name: 'Lead of a fair', person: '{id:contacts}', close_date: '2027-01-31' },
		update: { name: 'Lead of another fair' },
	},
];

export async function requests( { ask, check, sandbox, tenant } ) {
	for ( const object of [ 'contacts', 'companies', 'deals', 'leads' ] ) {
		await sandbox.seed( tenant, object, 25 );
	}
	await ask( 200, 'GET', '/api/v1/users/me' );
	await ask( 401, 'GET', '/api/v1/users/me', undefined, { 'x-api-token': 'wrong' } );
	await ask( 200, 'GET', '/api/v1/leadFields?start=0&limit=5' );
	for ( const fields of [ 'personFields', 'organizationFields', 'dealFields' ] ) {
		await pages( ask, `/api/v2/${ fields }?limit=4` );
	}

	for ( const name of [ 'persons', 'organizations', 'deals' ] ) {
		const all = await pages( ask, `/api/v2/${ name }?limit=10` );
		check( `${ name }: every row once`, 25 === new Set( all.map( ( row ) => row.id ) ).size );
		const times = all.map( ( row ) => row.update_time ).sort();
		const since = times[ 10 ];
		for ( const direction of [ 'asc', 'desc' ] ) {
			const later = await pages( ask, `/api/v2/${ name }?limit=10&sort_by=update_time&sort_direction=${ direction }&updated_since=${ since }` );
			check( `${ name }: updated_since ${ direction }`, later.length === times.filter( ( time ) => time >= since ).length );
		}
		const earlier = await pages( ask, `/api/v2/${ name }?updated_until=${ since }&sort_by=add_time` );
		check( `${ name }: updated_until`, earlier.length === times.filter( ( time ) => time < since ).length );
		const ids = await ask( 200, 'GET', `/api/v2/${ name }?ids=1,2,999&include_fields=notes_count` );
		check( `${ name }: ids`, 2 === ids.data.length );
		await ask( 404, 'GET', `/api/v2/${ name }/999` );
		await ask( 400, 'GET', `/api/v2/${ name }?limit=501` );
	}

	await contacts( ask, check );
	const person = ( await ask( 200, 'POST', '/api/v2/persons', { name: 'Of a lead' } ) ).data.id;
	await deals( ask, check, person );
	await leads( ask, check, person );
}

async function contacts( ask, check ) {
	const emails = [
		{ value: 'a@contract.test', primary: true, label: 'work' },
		{ value: 'b@contract.test', primary: false, label: 'home' },
	];
	const made = await ask( 200, 'POST', '/api/v2/persons', { name: 'Ana Núñez', emails, phones: [ { value: '1', primary: true, label: 'work' } ] } );
	const target = `/api/v2/persons/${ made.data.id }`;
	check( 'persons: e-mails as written', JSON.stringify( made.data.emails ) === JSON.stringify( emails ) );
	await ask( 200, 'PATCH', target, { name: 'Ana', owner_id: 3, label_ids: [ 1 ], birthday: '2000-12-31' } );
	const read = await ask( 200, 'GET', target );
	check( 'persons: changed', 'Ana' === read.data.name && 3 === read.data.owner_id );
	const found = await ask( 200, 'GET', '/api/v2/persons/search?term=b%40contract.test&fields=email&exact_match=true' );
	check( 'persons: found by e-mail', 1 === found.data.items.length );
	await ask( 400, 'POST', '/api/v2/persons', { emails } );
	await ask( 400, 'POST', '/api/v2/persons', { name: 'x', emails: [ { value: 'no address' } ] } );
	await ask( 200, 'DELETE', target );
	await ask( 404, 'GET', target );
	const company = await ask( 200, 'POST', '/api/v2/organizations', { name: 'Acme', website: null, address: { value: 'Main St 1' } } );
	await ask( 200, 'PATCH', `/api/v2/organizations/${ company.data.id }`, { name: 'Acme AG', employee_count: 5 } );
	await ask( 200, 'GET', '/api/v2/organizations/search?term=acme' );
	await ask( 200, 'DELETE', `/api/v2/organizations/${ company.data.id }` );
	const recent = await ask( 200, 'GET', '/api/v1/recents?since_timestamp=2026-01-01%2000:00:00&items=person' );
	check(
		'recents: the deleted person',
		recent.data.some( ( one ) => one.id === made.data.id && false === one.data.active_flag )
	);
	await ask( 200, 'GET', '/api/v1/recents?since_timestamp=2020-01-01%2000:00:00&limit=60' );
}

async function deals( ask, check, person ) {
	const made = await ask( 200, 'POST', '/api/v2/deals', {
		title: 'Offer',
		value: 12.5,
		currency: 'EUR',
		person_id: person,
		expected_close_date: '2027-01-31',
	} );
	const target = `/api/v2/deals/${ made.data.id }`;
	await ask( 200, 'PATCH', target, { status: 'lost', lost_reason: 'price', probability: null } );
	const lost = await ask( 200, 'GET', `/api/v2/deals?status=lost&person_id=${ person }` );
	check( 'deals: filtered', 1 === lost.data.length && 12.5 === lost.data[ 0 ].value );
	await ask( 200, 'GET', '/api/v2/deals/search?term=offer' );
	await ask( 200, 'DELETE', target );
	const gone = await ask( 200, 'GET', '/api/v2/deals?status=deleted' );
	check(
		'deals: the deleted one',
		gone.data.some( ( one ) => one.id === made.data.id && one.is_deleted )
	);
}

async function leads( ask, check, person ) {
	const seen = new Set();
	for ( let start = 0, more = true; more; ) {
		const page = await ask( 200, 'GET', `/api/v1/leads?limit=10&start=${ start }&sort=update_time` );
		page.data.forEach( ( row ) => seen.add( row.id ) );
		( { more_items_in_collection: more, next_start: start } = page.additional_data.pagination );
	}
	check( 'leads: every row once', 25 === seen.size );
	await ask( 200, 'GET', '/api/v1/leads?updated_since=2025-01-01T00:00:00Z' );
	const made = await ask( 201, 'POST', '/api/v1/leads', { title: 'Fair', person_id: person, value: { amount: 5, currency: 'EUR' }, visible_to: '3' } );
	const target = `/api/v1/leads/${ made.data.id }`;
	await ask( 200, 'PATCH', target, { title: 'Other fair', value: null, is_archived: true } );
	const archived = await ask( 200, 'GET', '/api/v1/leads/archived' );
	check( 'leads: archived', 1 === archived.data.length && archived.data[ 0 ].id === made.data.id );
	await ask( 200, 'GET', '/api/v2/leads/search?term=fair' );
	await ask( 200, 'GET', target );
	await ask( 200, 'DELETE', target );
	await ask( 404, 'GET', target );
	await ask( 400, 'POST', '/api/v1/leads', { title: 'Of nobody' } );
}

/** All rows, by v2's cursor. */
async function pages( ask, target ) {
	const rows = [];
	for ( let cursor = ''; null !== cursor; ) {
		const page = await ask( 200, 'GET', `${ target }${ cursor && `&cursor=${ encodeURIComponent( cursor ) }` }` );
		rows.push( ...page.data );
		cursor = page.additional_data.next_cursor;
	}
	return rows;
}
