/**
 * The block in the editor: its two settings, and a picture of the table with made-up people. Real leads are shown to whoever looks at the page,
 * not to whoever writes it.
 */
( function ( blocks, blockEditor, components, element, i18n ) {
	const { createElement: el, Fragment } = element;
	const { __ } = i18n;

	const COLUMNS = {
		name: __( 'Name', 'tenant-crm-sync' ),
		email: __( 'E-mail', 'tenant-crm-sync' ),
		state: __( 'State', 'tenant-crm-sync' ),
		owner: __( 'Owner', 'tenant-crm-sync' ),
		updated: __( 'Changed', 'tenant-crm-sync' ),
	};
	const PEOPLE = [
		{ name: 'Ada Example', email: 'ada@example.com', state: 'open', owner: 'Kim', updated: '2026-03-01' },
		{ name: 'Ben Example', email: 'ben@example.com', state: 'won', owner: 'Kim', updated: '2026-02-14' },
		{ name: 'Cleo Example', email: 'cleo@example.com', state: 'new', owner: 'Sam', updated: '2026-01-30' },
	];

	function Edit( { attributes, setAttributes } ) {
		const shown = Object.keys( COLUMNS ).filter( ( name ) => attributes.columns.includes( name ) );
		const toggle = ( name ) => ( on ) => {
			const columns = Object.keys( COLUMNS ).filter( ( other ) => ( other === name ? on : attributes.columns.includes( other ) ) );
			// A table without columns shows nothing.
			setAttributes( { columns: columns.length ? columns : attributes.columns } );
		};
		return el(
			Fragment,
			null,
			el(
				blockEditor.InspectorControls,
				null,
				el(
					components.PanelBody,
					{ title: __( 'Table', 'tenant-crm-sync' ) },
					el( components.RangeControl, {
						label: __( 'Leads of a page', 'tenant-crm-sync' ),
						value: attributes.perPage,
						min: 5,
						max: 100,
						onChange: ( perPage ) => setAttributes( { perPage } ),
					} ),
					Object.keys( COLUMNS ).map( ( name ) =>
						el( components.CheckboxControl, {
							key: name,
							label: COLUMNS[ name ],
							checked: attributes.columns.includes( name ),
							onChange: toggle( name ),
						} )
					)
				)
			),
			el(
				'div',
				blockEditor.useBlockProps( { className: 'tcs-portal' } ),
				el(
					'p',
					{ className: 'tcs-portal-note' },
					__( 'Whoever looks at the page sees the leads of their own tenants here. These are made up.', 'tenant-crm-sync' )
				),
				el(
					'table',
					{ className: 'tcs-portal-table' },
					el(
						'thead',
						null,
						el(
							'tr',
							null,
							shown.map( ( name ) => el( 'th', { key: name, scope: 'col' }, COLUMNS[ name ] ) )
						)
					),
					el(
						'tbody',
						null,
						PEOPLE.map( ( person ) =>
							el(
								'tr',
								{ key: person.name },
								shown.map( ( name ) => el( 'td', { key: name, 'data-label': COLUMNS[ name ] }, person[ name ] ) )
							)
						)
					)
				)
			)
		);
	}

	blocks.registerBlockType( 'tenant-crm-sync/leads', { edit: Edit, save: () => null } );
} )( window.wp.blocks, window.wp.blockEditor, window.wp.components, window.wp.element, window.wp.i18n );
