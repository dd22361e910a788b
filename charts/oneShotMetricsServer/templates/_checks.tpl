{{/* What values.schema.json can't say: values that don't fit together. */}}
{{- define "oneShotMetricsServer.checks" -}}
{{- if and .Values.serviceMonitor.enabled .Values.podMonitor.enabled }}
{{- fail "serviceMonitor.enabled and podMonitor.enabled: Prometheus would scrape twice from one address, and each scrape would get only some of the events; turn one of them off" }}
{{- end }}
{{- with .Values.service }}
{{- if and (eq .type "ClusterIP") .nodePort }}
{{- fail "service.nodePort: not possible with type ClusterIP; set service.type to NodePort or LoadBalancer" }}
{{- end }}
{{- if and (eq .type "ClusterIP") .externalTrafficPolicy (not .externalIPs) }}
{{- fail "service.externalTrafficPolicy: not possible with type ClusterIP; set service.type to NodePort or LoadBalancer" }}
{{- end }}
{{- range $key := list "loadBalancerIP" "loadBalancerClass" "loadBalancerSourceRanges" }}
{{- if and (ne $.Values.service.type "LoadBalancer") (index $.Values.service $key) }}
{{- fail (printf "service.%s: only possible with a load balancer; set service.type to LoadBalancer" $key) }}
{{- end }}
{{- end }}
{{- end }}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) }}
{{- fail "ingress.hosts: list the hosts that senders use, such as events.example; the server doesn't answer to others" }}
{{- end }}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.hostnames) }}
{{- fail "httpRoute.hostnames: list the hosts that senders use, such as events.example; the server doesn't answer to others" }}
{{- end }}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) }}
{{- fail "httpRoute.parentRefs: list the Gateways, such as [{name: public, namespace: gateways}]" }}
{{- end }}
{{- if and .Values.database.existingSecret (not (include "oneShotMetricsServer.inDatabase" .)) }}
{{- fail "database.existingSecret: has no effect on a log on a volume; set config.store.kind to postgres" }}
{{- end }}
{{- if and (include "oneShotMetricsServer.inDatabase" .) (not .Values.database.existingSecret) (not .Values.extraEnv) }}
{{- fail "config.store.kind=postgres: set database.existingSecret to the Secret with the URL of the database, or PGHOST and the like in extraEnv" }}
{{- end }}
{{- if and .Values.webConfig.tls (not .Values.webConfig.existingSecret) }}
{{- fail "webConfig.tls: set webConfig.existingSecret to the Secret with the web configuration file" }}
{{- end }}
{{- if and .Values.webConfig.caKey (not .Values.webConfig.tls) }}
{{- fail "webConfig.caKey: has no effect without TLS; set webConfig.tls" }}
{{- end }}
{{- end }}
