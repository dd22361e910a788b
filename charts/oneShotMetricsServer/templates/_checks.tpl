{{/* What values.schema.json can't say: values that don't fit together. */}}
{{- define "oneShotMetricsServer.checks" -}}
{{- if and .Values.serviceMonitor.enabled .Values.podMonitor.enabled }}
{{- fail "serviceMonitor.enabled and podMonitor.enabled: Prometheus would scrape twice under one address, and each scrape would get a part of the events; turn one of them off" }}
{{- end }}
{{- with .Values.service }}
{{- if and (eq .type "ClusterIP") .nodePort }}
{{- fail "service.nodePort: a Service of the type ClusterIP has none; set service.type to NodePort or LoadBalancer" }}
{{- end }}
{{- if and (eq .type "ClusterIP") .externalTrafficPolicy (not .externalIPs) }}
{{- fail "service.externalTrafficPolicy: a Service of the type ClusterIP has none; set service.type to NodePort or LoadBalancer" }}
{{- end }}
{{- range $key := list "loadBalancerIP" "loadBalancerClass" "loadBalancerSourceRanges" }}
{{- if and (ne $.Values.service.type "LoadBalancer") (index $.Values.service $key) }}
{{- fail (printf "service.%s: there is no load balancer; set service.type to LoadBalancer" $key) }}
{{- end }}
{{- end }}
{{- end }}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) }}
{{- fail "ingress.hosts: name the host that senders use, such as events.example; the server answers to no other" }}
{{- end }}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.hostnames) }}
{{- fail "httpRoute.hostnames: name the host that senders use, such as events.example; the server answers to no other" }}
{{- end }}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) }}
{{- fail "httpRoute.parentRefs: name the Gateway, such as [{name: public, namespace: gateways}]" }}
{{- end }}
{{- if and .Values.webConfig.tls (not .Values.webConfig.existingSecret) }}
{{- fail "webConfig.tls: name the Secret with the web configuration file in webConfig.existingSecret" }}
{{- end }}
{{- if and .Values.webConfig.caKey (not .Values.webConfig.tls) }}
{{- fail "webConfig.caKey: without webConfig.tls there is nothing to trust; set webConfig.tls" }}
{{- end }}
{{- end }}
