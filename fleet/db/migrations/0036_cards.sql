-- Terminals and faults as people read them, in one place for lists and for one of them.

CREATE VIEW terminal_card WITH (security_invoker = true) AS
SELECT terminal.code AS id, terminal.kind, terminal.vendor, terminal.model,
    terminal.region_code AS region, terminal.site, terminal.latitude, terminal.longitude,
    coalesce(terminal_cell.cell_code, 'UNASSIGNED') AS cell,
    coalesce(terminal_cell.method, 'unassigned') AS cell_method, terminal_cell.version AS map_version,
    terminal.skills, terminal.commissioned_at, terminal.decommissioned_at,
    coalesce(unseen.state, terminal_state.service_state, 'unknown') AS service_state,
    terminal_state.service_since, terminal_state.connected, terminal_state.heard_at,
    terminal_clock.skew_us / 1e6::float8 AS clock_skew_s,
    terminal_clock.measured_at AS clock_measured_at,
    terminal.id AS terminal_id, terminal_cell.cell_code
FROM terminal
LEFT JOIN terminal_cell
    ON terminal_cell.terminal_id = terminal.id AND terminal_cell.valid @> now()
LEFT JOIN terminal_state ON terminal_state.terminal_id = terminal.id
LEFT JOIN terminal_clock ON terminal_clock.terminal_id = terminal.id
LEFT JOIN unseen ON unseen.region_code = terminal.region_code;
COMMENT ON VIEW terminal_card IS
    'Terminals with the latest that is known of each; the cell is the one it is in now.';
COMMENT ON COLUMN terminal_card.cell_code IS 'The same as cell; null where it is in none';
GRANT SELECT ON terminal_card TO tellergrid_scoped, tellergrid_whole;

CREATE VIEW fault_card WITH (security_invoker = true) AS
SELECT fault.id, fault.scope, fault.subject, terminal.code AS terminal, fault.cell_code AS cell,
    fault.rule, fault.item, fault.severity, fault.component, fault.impact, fault.title,
    fault.remedy, fault.skill, fault.line, fault.parts, fault.started_at, fault.fired_at,
    fault.cleared_at, fault.flapping_at, fault.steady_at, fault.suppressed_by, fault.catalogue,
    (SELECT max(ticket.id) FROM ticket WHERE ticket.fault_id = fault.id) AS ticket
FROM fault
LEFT JOIN terminal ON terminal.id = fault.terminal_id;
COMMENT ON VIEW fault_card IS 'Faults with the codes of what they are of, and the last ticket of each.';
GRANT SELECT ON fault_card TO tellergrid_scoped, tellergrid_whole;
