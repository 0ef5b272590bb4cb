"""Measurable verbs for learning outcomes, after the levels of Bloom's taxonomy, per language (ISO 639).

Each line is one level: remember, understand, apply, analyse, evaluate, create.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_ENGLISH = (
    "cite count define identify label list locate match memorise memorize name outline quote recall recite recognise "
    "recognize record repeat reproduce select state tabulate "
    "articulate characterise characterize clarify classify convert describe discuss distinguish exemplify explain "
    "express extend generalise generalize illustrate infer interpret paraphrase predict report restate review rewrite "
    "summarise summarize trace translate "
    "administer apply calculate carry change choose complete compute conduct demonstrate deploy employ execute handle "
    "implement install maintain manage manipulate modify operate perform practice practise prepare present process "
    "produce provide run schedule show sketch solve teach train use utilise utilize write "
    "analyse analyze audit break calibrate categorise categorize compare contrast correlate debug deconstruct deduce "
    "detect diagnose diagram differentiate discover discriminate dissect divide examine experiment explore inspect "
    "investigate measure monitor order organise organize prioritise prioritize question relate separate structure "
    "subdivide survey test "
    "appraise argue assess check choose conclude convince criticise criticize critique debate decide defend determine "
    "estimate evaluate grade judge justify negotiate optimise optimize rank rate recommend score select support "
    "troubleshoot validate value verify weigh "
    "adapt assemble author automate build collaborate combine compile compose configure construct create design "
    "develop devise draft draw edit engineer establish facilitate formulate generate hypothesise hypothesize improve "
    "integrate invent lead make model plan program propose prototype publish refactor reorganise reorganize revise "
    "secure set specify synthesise synthesize transform"
)

_GERMAN = (
    "angeben anführen aufführen aufsagen aufzählen auflisten benennen bezeichnen definieren erkennen kennzeichnen "
    "nennen identifizieren notieren reproduzieren wiedergeben wiederholen zitieren zuordnen "
    "ableiten ausdrücken begründen beschreiben charakterisieren darlegen darstellen deuten diskutieren einordnen "
    "erklären erläutern erörtern formulieren interpretieren klassifizieren paraphrasieren übersetzen umschreiben "
    "veranschaulichen verdeutlichen vorhersagen zusammenfassen "
    "anwenden ausführen bedienen bearbeiten benutzen berechnen betreiben demonstrieren durchführen einrichten "
    "einsetzen ermitteln gebrauchen handhaben herstellen implementieren installieren konfigurieren leiten lösen "
    "modifizieren nutzen planen präsentieren schreiben üben umsetzen verwalten verwenden vorführen warten zeichnen "
    "zeigen "
    "abgrenzen ableiten analysieren aufteilen differenzieren diagnostizieren einteilen experimentieren "
    "gegenüberstellen gliedern isolieren kategorisieren kontrastieren messen ordnen prüfen strukturieren testen "
    "überwachen unterscheiden untersuchen vergleichen zerlegen "
    "abschätzen abwägen argumentieren auswählen auswerten begutachten belegen beurteilen bewerten einschätzen "
    "empfehlen entscheiden evaluieren folgern gewichten hinterfragen kritisieren optimieren rechtfertigen schätzen "
    "überprüfen validieren verifizieren verteidigen "
    "anpassen aufbauen ausarbeiten automatisieren bauen entwerfen entwickeln erarbeiten erstellen erschaffen erzeugen "
    "generieren gestalten integrieren kombinieren komponieren konstruieren konzipieren modellieren organisieren "
    "produzieren programmieren verbessern verfassen vorschlagen zusammenstellen"
)

_FRENCH = (
    "citer décrire définir désigner énoncer énumérer identifier indiquer lister localiser mémoriser nommer rappeler "
    "reconnaître répéter reproduire sélectionner situer "
    "associer classer clarifier commenter convertir démontrer différencier discuter distinguer expliquer exprimer "
    "généraliser illustrer interpréter paraphraser prédire présenter reformuler résumer traduire "
    "administrer appliquer calculer choisir compléter conduire déployer effectuer employer exécuter gérer implémenter "
    "installer manipuler mesurer mettre modifier montrer opérer pratiquer préparer produire réaliser résoudre rédiger "
    "traiter utiliser écrire "
    "analyser catégoriser comparer contraster décomposer déduire détecter diagnostiquer examiner expérimenter "
    "explorer hiérarchiser inspecter investiguer inférer ordonner organiser prioriser structurer surveiller tester "
    "vérifier "
    "apprécier argumenter conclure contrôler convaincre critiquer décider défendre déterminer estimer évaluer juger "
    "justifier mesurer noter optimiser recommander soutenir valider "
    "adapter améliorer assembler automatiser combiner composer concevoir configurer construire créer développer "
    "élaborer établir formuler générer imaginer intégrer inventer modéliser planifier programmer proposer rassembler "
    "réorganiser schématiser sécuriser synthétiser transformer"
)

_SPANISH = (
    "citar definir describir designar enumerar enunciar etiquetar identificar indicar listar localizar memorizar "
    "nombrar recitar reconocer recordar repetir reproducir seleccionar señalar "
    "asociar clasificar comentar convertir discutir distinguir ejemplificar explicar expresar generalizar ilustrar "
    "inferir interpretar parafrasear predecir reformular resumir traducir "
    "administrar aplicar calcular completar conducir demostrar desplegar ejecutar elegir emplear escribir gestionar "
    "implementar instalar manejar manipular mantener modificar mostrar operar practicar preparar presentar producir "
    "realizar redactar resolver usar utilizar "
    "analizar categorizar comparar contrastar deducir depurar descomponer detectar diagnosticar diferenciar examinar "
    "experimentar explorar inspeccionar investigar medir monitorizar ordenar organizar priorizar probar relacionar "
    "separar "
    "apreciar argumentar concluir criticar debatir decidir defender determinar estimar evaluar juzgar justificar "
    "optimizar recomendar sopesar validar valorar verificar "
    "adaptar automatizar combinar componer concebir configurar construir crear desarrollar diseñar elaborar "
    "ensamblar establecer estructurar formular generar integrar inventar mejorar modelar planificar programar proponer "
    "reorganizar sintetizar transformar"
)

_ITALIAN = (
    "citare definire denominare descrivere elencare enumerare etichettare identificare indicare individuare "
    "localizzare memorizzare nominare recitare richiamare riconoscere ricordare ripetere riprodurre selezionare "
    "associare chiarire classificare commentare convertire discutere distinguere esemplificare esporre esprimere "
    "generalizzare illustrare inferire interpretare parafrasare predire riassumere riformulare spiegare tradurre "
    "amministrare applicare calcolare completare condurre dimostrare distribuire effettuare eseguire gestire "
    "impiegare implementare installare manipolare manutenere modificare mostrare operare praticare preparare "
    "presentare produrre realizzare redigere risolvere scegliere scrivere usare utilizzare "
    "analizzare categorizzare confrontare contrapporre dedurre diagnosticare differenziare esaminare esplorare "
    "ispezionare indagare misurare monitorare ordinare organizzare rilevare scomporre separare sperimentare "
    "strutturare suddividere testare "
    "apprezzare argomentare concludere criticare decidere determinare difendere dibattere giudicare giustificare "
    "ottimizzare raccomandare sostenere stimare validare valutare verificare "
    "adattare assemblare automatizzare combinare comporre concepire configurare costruire creare elaborare formulare "
    "generare ideare integrare inventare migliorare modellare pianificare progettare programmare proporre "
    "riorganizzare sintetizzare sviluppare trasformare"
)

_PORTUGUESE = (
    "apontar citar definir descrever designar enumerar enunciar identificar indicar listar localizar memorizar nomear "
    "recitar reconhecer recordar relembrar repetir reproduzir selecionar "
    "associar classificar comentar converter discutir distinguir exemplificar explicar expressar generalizar ilustrar "
    "inferir interpretar parafrasear predizer prever reformular resumir traduzir "
    "administrar aplicar calcular completar conduzir demonstrar empregar escolher escrever executar gerenciar gerir "
    "implantar implementar instalar manipular manter modificar mostrar operar praticar preparar apresentar produzir "
    "realizar redigir resolver usar utilizar "
    "analisar categorizar comparar contrastar decompor deduzir depurar detectar detetar diagnosticar diferenciar "
    "examinar experimentar explorar inspecionar investigar medir monitorar monitorizar ordenar organizar priorizar "
    "relacionar separar testar "
    "apreciar argumentar avaliar concluir criticar debater decidir defender determinar estimar julgar justificar "
    "otimizar ponderar recomendar validar verificar "
    "adaptar automatizar combinar compor conceber configurar construir criar desenhar desenvolver elaborar "
    "estabelecer estruturar formular gerar integrar inventar melhorar modelar montar planear planejar programar "
    "projetar propor reorganizar sintetizar transformar"
)

_DUTCH = (
    "aangeven aanwijzen benoemen citeren definiëren herhalen herinneren herkennen identificeren lokaliseren markeren "
    "noemen opnoemen opsommen opzeggen reproduceren selecteren "
    "afleiden beschrijven bespreken classificeren herformuleren illustreren interpreteren omschrijven onderscheiden "
    "parafraseren samenvatten toelichten uitdrukken uitleggen verduidelijken verklaren vertalen voorspellen "
    "beheren bedienen berekenen demonstreren gebruiken hanteren implementeren inrichten inzetten installeren "
    "kiezen maken oefenen onderhouden oplossen presenteren schrijven toepassen tonen uitrollen uitvoeren "
    "voorbereiden wijzigen "
    "analyseren categoriseren controleren diagnosticeren differentiëren experimenteren indelen meten onderzoeken "
    "ontdekken ontleden ordenen organiseren prioriteren relateren structureren testen vergelijken verkennen "
    "aanbevelen adviseren afwegen argumenteren bekritiseren beoordelen beslissen concluderen evalueren inschatten "
    "onderbouwen optimaliseren rechtvaardigen schatten toetsen valideren verdedigen verifiëren waarderen "
    "aanpassen automatiseren bedenken bouwen combineren componeren configureren construeren creëren formuleren "
    "genereren integreren modelleren ontwerpen ontwikkelen opbouwen opstellen opzetten plannen produceren "
    "programmeren samenstellen verbeteren voorstellen vormgeven"
)

MEASURABLE_VERBS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "en": frozenset(_ENGLISH.split()),
        "de": frozenset(_GERMAN.split()),
        "fr": frozenset(_FRENCH.split()),
        "es": frozenset(_SPANISH.split()),
        "it": frozenset(_ITALIAN.split()),
        "pt": frozenset(_PORTUGUESE.split()),
        "nl": frozenset(_DUTCH.split()),
    }
)
"""Lower case, composed (NFC); infinitives."""
