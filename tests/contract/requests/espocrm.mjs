// What the runner itself asks of EspoCRM's dialect, and what its client is asked to write. All of it goes through Prism.

/** Real paths that the specification, which is of records only, leaves out. */
export const outside = [ /^\/Metadata$/, /^\/App\/user$/ ];

/** An answer that is wrong by the specification, so that it is seen that Prism sees it. */
export const lies = { '/api/v1': { target: '/Lead', body: { list: [ { id: 5, modifiedAt: '2026-01-01T00:00:00Z' } ], total: 'many' } } };

export const headers = ( key ) => ( { 'x-api-key': key } );

/** Neutral records that the client creates, in this order. */
export const objects = [
	{
		object: 'leads',
		create: { name: 'Zoë Müller', email: 'zoe@contract.test', phone: '+4930123456', company: 'Łódź & Söhne', status: 'New', notes: 'called' },
		update: { name: 'Zoë Berg', status: 'In Process' },
	},
	{ object: 'contacts', create: { name: 'Ana Núñez', email: 'ana@contract.test' }, update: { phone: '+4930654321' } },
	{ object: 'companies', create: { name: 'Łódź & Söhne', phone: '+4930123456' }, update: { name: 'Łódź AG' } },
	{
		object: 'deals',
		create: { name: 'Offer', amount: 1250.5, amountCurrency: 'EUR', close_date: '2027-01-31', status: 'Prospecting' },
		update: { amount: 99, status: 'Closed Won' },
	},
	{ object: 'tickets', create: { name: 'Help', status: 'New', notes: 'does not start' }, update: { status: 'Closed' } },
];

const ENTITIES = {
	Lead: [ 'leads', { firstName: 'Tom', lastName: 'Lee', emailAddress: 'tom@contract.test', doNotCall: true }, { status: 'Dead', accountName: 'Acme' } ],
	Contact: [ 'contacts', { lastName: 'Lee', phoneNumber: '+4930123456' }, { firstName: 'Tom', teamsIds: [] } ],
	Account: [ 'companies', { name: 'Acme', type: 'Customer' }, { website: 'https://acme.test', type: null } ],
	Opportunity: [ 'deals', { name: 'Offer', amount: 5, amountCurrency: 'EUR', closeDate: '2027-01-31' }, { stage: 'Negotiation', probability: 50 } ],
	Case: [ 'tickets', { name: 'Help' }, { status: 'Pending', priority: 'High' } ],
};

export async function requests( { ask, check, sandbox, tenant } ) {
	for ( const [ entity, [ object, create, update ] ] of Object.entries( ENTITIES ) ) {
		await sandbox.seed( tenant, object, 25 );
		const target = `/api/v1/${ entity }`;
		const rows = [];
		for ( let offset = 0, total = -1; -1 === total; offset += 10 ) {
			const page = await ask( 200, 'GET', `${ target }?maxSize=10&offset=${ offset }&orderBy=modifiedAt`, undefined, { 'x-no-total': 'true' } );
			rows.push( ...page.list );
			total = page.total;
		}
		check( `${ entity }: every row once`, 25 === new Set( rows.map( ( row ) => row.id ) ).size );
		await filters( ask, check, entity, rows );

		const made = await ask( 200, 'POST', target, create );
		const changed = await ask( 200, 'PATCH', `${ target }/${ made.id }`, update );
		const [ name, value ] = Object.entries( update )[ 0 ];
		check( `${ entity }: changed`, JSON.stringify( changed[ name ] ) === JSON.stringify( value ) );
		const read = await ask( 200, 'GET', `${ target }/${ made.id }` );
		check( `${ entity }: read as written`, JSON.stringify( read ) === JSON.stringify( changed ) );
		check( `${ entity }: deleted`, true === ( await ask( 200, 'DELETE', `${ target }/${ made.id }` ) ) );
		await ask( 404, 'GET', `${ target }/${ made.id }` );
	}
	const twin = { lastName: 'Twin', emailAddress: 'twin@contract.test' };
	await ask( 200, 'POST', '/api/v1/Contact', twin );
	const found = await ask( 409, 'POST', '/api/v1/Contact', twin );
	check( 'a conflict names the duplicates', 1 === found.length && 'twin@contract.test' === found[ 0 ].emailAddress );
	await ask( 200, 'POST', '/api/v1/Contact', twin, { 'x-skip-duplicate-check': 'true' } );
	await ask( 400, 'POST', '/api/v1/Contact', { lastName: 'x', emailAddress: 'no address' } );
	await ask( 401, 'GET', '/api/v1/Contact', undefined, { 'x-api-key': 'wrong' } );
	await ask( 200, 'GET', '/api/v1/Metadata?key=entityDefs.Lead.fields' );
}

async function filters( ask, check, entity, rows ) {
	const times = rows.map( ( row ) => row.modifiedAt ).sort();
	const since = times[ 12 ];
	const where = ( type ) => `whereGroup[0][type]=${ type }&whereGroup[0][attribute]=modifiedAt&whereGroup[0][value]=${ encodeURIComponent( since ) }`;
	for ( const [ type, passes ] of [
		[ 'greaterThan', ( time ) => time > since ],
		[ 'greaterThanOrEquals', ( time ) => time >= since ],
		[ 'before', ( time ) => time < since ],
	] ) {
		const page = await ask( 200, 'GET', `/api/v1/${ entity }?${ where( type ) }&orderBy=modifiedAt&order=desc&attributeSelect=modifiedAt,createdAt` );
		check( `${ entity }: ${ type }`, page.total === times.filter( passes ).length && page.list.every( ( row ) => passes( row.modifiedAt ) ) );
	}
}
