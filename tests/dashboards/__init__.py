"""Pictures of the Grafana dashboards, made without Grafana: `make dashboards`.

The real system in trouble, a real Prometheus with the shipped rules, every panel's own queries, and our drawing of the
answers: by Grafana's grid, units, thresholds, legends and transformations, with the library that Grafana draws with.
"""
