// A connector that the runner has no requests of its own for: only what its client does is judged.

export const outside = [];
export const lies = {};
export const headers = () => ( {} );

/** Neutral records. What the connector cannot do with an object is left out. */
export const objects = [
	{ object: 'companies', create: { name: 'Łódź & Söhne' }, update: { name: 'Łódź AG' } },
	{ object: 'contacts', create: { name: 'Ana Núñez', email: 'ana@contract.test' }, update: { phone: '+4930654321' } },
	{ object: 'leads', create: { name: 'Zoë Müller', email: 'zoe@contract.test' }, update: { phone: '+4930123456' } },
	{ object: 'deals', create: { name: 'Offer' }, update: { name: 'Second offer' } },
	{ object: 'tickets', create: { name: 'Help' }, update: { name: 'More help' } },
];

export async function requests( { sandbox, tenant } ) {
	for ( const { object } of objects ) {
		await sandbox.seed( tenant, object, 25 );
	}
}
